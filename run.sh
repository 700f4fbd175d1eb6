#!/bin/sh
# Builds the router and starts it on rules/: installs what is missing, sends one signed sample through it and shows it
# delivered. --once: ends then, with 0 only if the sample was delivered.
set -eu
cd "$(dirname "$0")"
. core/build/packages.sh

install_build_packages
if [ ! -f build/release/build.ninja ]; then
  cmake --preset release >/dev/null
fi
cmake --build --preset release >build/release/build.log || { cat build/release/build.log >&2; exit 1; }
ln -sf build/release/tidewire tidewire

exec ./tidewire demo "$@"
