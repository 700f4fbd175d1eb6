#!/bin/bash
# Long runs under load; not part of test.sh.
#   tests/soak.sh rules [--seconds N] [--only TEXT] [--each N]    each hostile script beside 500 healthy events a second
#   tests/soak.sh rules --soak [--minutes M] [--seed N]           all of them at random, as routes of one router
# Builds the release; TIDEWIRE=PATH takes another binary. Ends with 0 if all held.
set -eu
cd "$(dirname "$0")/.."

what=${1:-}
if [ "$what" != rules ]; then
  sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
shift
if [ -z "${TIDEWIRE:-}" ]; then
  [ -f build/release/build.ninja ] || cmake --preset release >/dev/null
  cmake --build --preset release >build/release/build.log || { tail -60 build/release/build.log >&2; exit 1; }
  export TIDEWIRE="$PWD/build/release/tidewire"
fi
exec node "tests/soak/$what.js" "$@"
