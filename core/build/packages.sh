# Sourced by run.sh and test.sh: installs by apt-get what is missing, and nothing else outside the checkout.
# shellcheck shell=sh

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    echo "tidewire: these packages are missing and installing them needs root or sudo:" >&2
    echo "  $missing" >&2
    exit 1
  fi
}

is_installed() {
  dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# llhttp is packaged as a library from Debian 13 on; Debian 12 has its C sources in node-llhttp.
llhttp_package() {
  if apt-cache show libllhttp-dev >/dev/null 2>&1; then
    echo libllhttp-dev
  else
    echo node-llhttp
  fi
}

# install_missing PACKAGE...
install_missing() {
  missing=""
  for package in "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  echo "installing:$missing" >&2
  # shellcheck disable=SC2086 # a list of words
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1; then
    as_root apt-get update -q >/dev/null
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
  fi
}

install_build_packages() {
  if ! is_installed libllhttp-dev && ! is_installed node-llhttp; then
    apt-cache show node-llhttp >/dev/null 2>&1 || { missing="apt lists"; as_root apt-get update -q >/dev/null; }
    install_missing "$(llhttp_package)"
  fi
  install_missing gcc libc6-dev cmake ninja-build pkg-config libluajit-5.1-dev libuv1-dev libcurl4-openssl-dev libssl-dev \
    libsqlite3-dev libexpat1-dev zlib1g-dev libbrotli-dev libpcre2-dev libyaml-dev libmimalloc-dev lua-argparse ca-certificates tzdata
}
