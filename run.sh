#!/bin/sh
# Builds the router and starts it on rules/: installs what is missing, sends one signed sample through it, shows it delivered,
# and keeps running. --once: ends then, with 0 only if the sample was delivered.
set -eu
cd "$(dirname "$0")"
. core/build/packages.sh

once=no
if [ "${1:-}" = --once ]; then
  once=yes
  shift
fi

install_build_packages
if [ ! -f build/release/build.ninja ]; then
  cmake --preset release >/dev/null
fi
cmake --build --preset release >build/release/build.log || { cat build/release/build.log >&2; exit 1; }
ln -sf build/release/tidewire tidewire

# A catcher as the rule's target, and a secret for the signature, unless there are real ones.
mkdir -p build/demo
listen=${TIDEWIRE_LISTEN:-127.0.0.1:8080}
catcher_port=9000
if [ "$once" = yes ]; then # beside whatever runs here already
  listen=127.0.0.1:0
  catcher_port=0
  set -- --store build/demo/tidewire.db --admin unix:build/demo/tidewire.sock --no-watch "$@"
  export TIDEWIRE_ADMIN=unix:build/demo/tidewire.sock
fi
export GITHUB_WEBHOOK_SECRET="${GITHUB_WEBHOOK_SECRET:-only for trying}"
catcher=
router=
stop() {
  [ -z "$router" ] || kill "$router" 2>/dev/null || true
  [ -z "$catcher" ] || kill "$catcher" 2>/dev/null || true
  [ -z "$router" ] || wait "$router" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -z "${HELLO_TARGET:-}" ]; then
  ./tidewire listen "$catcher_port" >build/demo/catcher.log 2>&1 &
  catcher=$!
  tries=0
  until grep -q '^listening on' build/demo/catcher.log; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$catcher" 2>/dev/null; then
      cat build/demo/catcher.log >&2
      exit 1
    fi
    sleep 0.1
  done
  HELLO_TARGET="$(sed -n 's/^listening on \(http:[^,]*\),.*/\1/p' build/demo/catcher.log)/hello"
  export HELLO_TARGET
fi

./tidewire run . --listen "$listen" "$@" &
router=$!

# 4: nobody answers on its socket yet
tries=0
while :; do
  code=0
  ./tidewire send /github push --wait >build/demo/send.log 2>&1 || code=$?
  [ "$code" -eq 4 ] || break
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ] || ! kill -0 "$router" 2>/dev/null; then
    break
  fi
  sleep 0.1
done
echo
echo "\$ tidewire send /github push --wait"
cat build/demo/send.log
if [ -n "$catcher" ]; then
  echo
  echo "what the target got (build/demo/catcher.log):"
  sed 1d build/demo/catcher.log
fi
if [ "$once" = yes ] || [ "$code" -ne 0 ]; then
  exit "$code"
fi
echo
echo "It keeps running; Ctrl-C ends it. In another terminal:"
echo "  export GITHUB_WEBHOOK_SECRET='$GITHUB_WEBHOOK_SECRET'; ./tidewire send /github push --set body.pusher.name=you"
wait "$router"
