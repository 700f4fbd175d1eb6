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
  ctest --test-dir "build/$preset" -V --timeout 120 "$@" >"$logs/unit-$preset.log" 2>&1
  count "$logs/unit-$preset.log"
  local broken
  broken=$(grep -E '^ *[0-9]+/[0-9]+ Test +#[0-9]+: .*\*\*\*' "$logs/unit-$preset.log")
  if [ -n "$broken" ]; then
    echo "$broken"
    grep -E '^[0-9]+: (not ok|#  )|ERROR: |SUMMARY: |runtime error' "$logs/unit-$preset.log" | head -60
    grep -qE '^[0-9]+: not ok' "$logs/unit-$preset.log" || failed=$((failed + 1))
  fi
}

# Each fuzz target for some seconds.
fuzz() {
  say "fuzz targets, $1 s each"
  build fuzz || { failed=$((failed + 1)); return; }
  for target in build/fuzz/tests/fuzz/fuzz_*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    local corpus="build/fuzz/corpus-$(basename "$target")"
    mkdir -p "$corpus"
    check "$(basename "$target") finds nothing" "$target" -max_total_time="$1" -rss_limit_mb=2048 -verbosity=0 "$corpus"
  done
}

# flow BINARY-FOLDER: the whole router with real clients.
flow() {
  say "flow tests, $1"
  local force_exit="" # a failed test may leave sockets open; Node 18 has no such flag
  node --help | grep -q -- --test-force-exit && force_exit=--test-force-exit
  [ -d tests/node_modules ] || (cd tests && npm ci >../"$logs/npm.log" 2>&1) || { cat "$logs/npm.log"; failed=$((failed + 1)); return; }
  TIDEWIRE="$PWD/build/$1/tidewire" TIDEWIRE_PRESET="$1" TIDEWIRE_LONG="$all" timeout 1800 node --test $force_exit --test-reporter=tap tests/flow/*.test.js >"$logs/flow-$1.log" 2>&1
  local status=$?
  count "$logs/flow-$1.log"
  if [ $status -ne 0 ]; then
    grep -vE '^# ' "$logs/flow-$1.log" | grep -E -A 20 'not ok' | head -120
    grep -qE '^[[:space:]]*not ok' "$logs/flow-$1.log" || failed=$((failed + 1))
  fi
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
