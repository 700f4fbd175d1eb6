# Sourced by the scripts here, in the checkout's folder: packages, clients, the release build.
# shellcheck shell=bash
. core/build/packages.sh

# The head of a script is its help.
# shellcheck disable=SC2154 # its path; set by the script that sources this
case " $* " in
*" --help "* | *" -h "*)
  sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$script"
  exit 0
  ;;
esac

install_build_packages
install_missing wrk nodejs util-linux
command -v npm >/dev/null 2>&1 || install_missing npm
[ -d tests/node_modules ] || (cd tests && npm ci >/dev/null)
[ -f build/release/build.ninja ] || cmake --preset release >/dev/null
for target in all bench; do
  cmake --build --preset release --target $target >build/release/build.log || { tail -60 build/release/build.log >&2; exit 1; }
done
