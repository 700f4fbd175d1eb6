#!/bin/bash
# Builds and runs the tests; ends in a line "N passed, N failed". --all: the sanitizers over everything, and the long forms.
set -u
cd "$(dirname "$0")" || exit 1
. core/build/packages.sh

all=no
[ "${1:-}" = --all ] && all=yes
passed=0
failed=0
logs=build/test-logs

say() { printf '== %s\n' "$*"; }

# count FILE: adds the TAP lines of a log.
count() {
  passed=$((passed + $(grep -cE '^([0-9]+: )?[[:space:]]*ok( [0-9]+)? - ' "$1")))
  failed=$((failed + $(grep -cE '^([0-9]+: )?[[:space:]]*not ok( [0-9]+)? - ' "$1")))
}

# check NAME COMMAND...: one test that is a command; its output is shown when it fails.
check() {
  local name=$1
  shift
  if "$@" >"$logs/check.log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    cat "$logs/check.log"
    echo "not ok - $name"
  fi
}

build() {
  [ -f "build/$1/build.ninja" ] || cmake --preset "$1" -DTIDEWIRE_WERROR="${CI:+ON}" >"$logs/configure-$1.log" 2>&1 || {
    cat "$logs/configure-$1.log"
    return 1
  }
  cmake --build --preset "$1" >"$logs/build-$1.log" 2>&1 || {
    tail -60 "$logs/build-$1.log"
    return 1
  }
}

# unit PRESET CTEST-ARGUMENTS...: the programs of ctest; a program that crashes counts as one failure.
unit() {
  local preset=$1
  shift
  say "unit tests, $preset"
  build "$preset" || { failed=$((failed + 1)); return; }
  ctest --test-dir "build/$preset" -V -j "$(nproc)" --timeout 120 "$@" >"$logs/unit-$preset.log" 2>&1
  count "$logs/unit-$preset.log"
  local broken
  broken=$(grep -E '^ *[0-9]+/[0-9]+ Test +#[0-9]+: .*\*\*\*' "$logs/unit-$preset.log")
  if [ -n "$broken" ]; then
    echo "$broken"
    grep -E '^[0-9]+: (not ok|#  )|ERROR: |SUMMARY: |runtime error' "$logs/unit-$preset.log" | head -60
    grep -qE '^[0-9]+: not ok' "$logs/unit-$preset.log" || failed=$((failed + 1))
  fi
}

# side_by_side NAMES FUNCTION: calls FUNCTION with each line of NAMES, one per CPU at a time; each writes build/test-logs/NAME.log.
side_by_side() {
  export -f "$2"
  printf '%s\n' "$1" | xargs -P "$(nproc)" -I{} bash -c "$2 {}"
}

# one_fuzzer NAME: $seconds of it, as a TAP line; what it found is printed before.
one_fuzzer() {
  local corpus="build/fuzz/corpus-$1"
  mkdir -p "$corpus"
  if "build/fuzz/tests/fuzz/$1" -max_total_time="$seconds" -rss_limit_mb=2048 -verbosity=0 "$corpus" >"$logs/$1.log" 2>&1; then
    echo "ok - $1 finds nothing" >>"$logs/$1.log"
  else
    cat "$logs/$1.log"
    echo "not ok - $1 finds nothing" | tee -a "$logs/$1.log"
  fi
}

# Each fuzz target for some seconds.
fuzz() {
  say "fuzz targets, $1 s each"
  build fuzz || { failed=$((failed + 1)); return; }
  local names
  names=$(find build/fuzz/tests/fuzz -maxdepth 1 -type f -name 'fuzz_*' -perm -u+x -printf '%f\n' | sort)
  export logs seconds=$1
  side_by_side "$names" one_fuzzer
  for name in $names; do count "$logs/$name.log"; done
}

# one_flow FILE: a file of flow tests. A failed test may leave sockets open, hence --test-force-exit, which Node 18 has not.
one_flow() {
  local force_exit="" log="$logs/flow-$preset-$1.log"
  node --help | grep -q -- --test-force-exit && force_exit=--test-force-exit
  TIDEWIRE="$PWD/build/$preset/tidewire" TIDEWIRE_PRESET="$preset" TIDEWIRE_LONG="$all" \
    timeout 1800 node --test $force_exit --test-reporter=tap "tests/flow/$1" >"$log" 2>&1 && return
  grep -vE '^# ' "$log" | grep -E -A 20 'not ok' | head -120
  grep -qE '^[[:space:]]*not ok' "$log" || echo "not ok - $1 was ended" | tee -a "$log"
}

# flow PRESET: the whole router with real clients.
flow() {
  say "flow tests, $1"
  [ -d tests/node_modules ] || (cd tests && npm ci >../"$logs/npm.log" 2>&1) || { cat "$logs/npm.log"; failed=$((failed + 1)); return; }
  local files
  files=$(cd tests/flow && ls -S -- *.test.js) # the largest first, so that none is begun last
  export logs all preset=$1
  side_by_side "$files" one_flow
  for file in $files; do count "$logs/flow-$1-$file.log"; done
}

install_build_packages
install_missing nodejs clang lua-check json-schema-test-suite git # git: a flow test checks out rules with it
install_missing "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" # what the fuzz targets are linked with
command -v npm >/dev/null 2>&1 || install_missing npm
mkdir -p "$logs"

unit dev
check "luacheck is silent" luacheck -q lua rules examples
flow dev
if [ $all = yes ]; then
  unit asan
  unit tsan -LE jump
  flow asan
  flow tsan
  fuzz 60
else
  unit asan -L unit
  fuzz 5
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
