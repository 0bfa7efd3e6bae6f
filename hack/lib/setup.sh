# shellcheck shell=bash
# What every command under hack/ does first. It answers --help, which prints the command's header and does nothing else;
# then it brings a fresh clone on Debian 12 to the point where the project's own programs run. Each step says what it
# does, does nothing when it is done already, and names the command that mends it when it cannot be done. Sourced, not
# run; sets ROOT and NODE.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
NATIVE=$ROOT/pkg/dataplane/native
BUILD=${NSM_BUILD_DIR:-$NATIVE/build}
# Programs colour what they print where it goes to a log, too, unless they are told.
[ -t 1 ] || export NO_COLOR=1

say() { printf '[%s] %s\n' "$(basename "$0")" "$*" >&2; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
refuse() { printf '%s: %s; see %s --help\n' "$(basename "$0")" "$*" "$0" >&2; exit 2; }

# The comment at the top of the command.
print_help() { sed -n '2,/^[^#]/s/^#$\|^# //p' "$0"; }

# Refuses what a command does not know before anything is installed or built: `accept SPEC... -- "$@"`. A SPEC is an
# option, an option with a value (NAME=), or a word; WORD stands for any word.
accept() {
  local specs=()
  while [ "$1" != -- ]; do specs+=("$1"); shift; done
  shift
  while [ $# -gt 0 ]; do
    case " ${specs[*]} " in
      *" $1 "*) ;;
      *" ${1%%=*}= "*)
        if [[ $1 != *=* ]]; then
          [ $# -gt 1 ] || refuse "$1 needs a value"
          shift
        fi
        ;;
      *) [[ $1 != -* && " ${specs[*]} " == *" WORD "* ]] || refuse "unknown argument '$1'" ;;
    esac
    shift
  done
}

# Debian's packages, by what they are for.
packages() {
  case $1 in
    build)
      echo g++ cmake ninja-build libssl-dev libseccomp-dev iproute2 util-linux
      [ "$(uname -m)" != x86_64 ] || echo libipsec-mb-dev
      ;;
    demo) echo python3 curl tcpdump iputils-ping procps ;;
    test) echo nftables wireguard-go wireguard-tools iperf3 python3-grpcio python3-protobuf python3-jwt python3-cryptography ;;
    fuzz) echo clang-16 libclang-rt-16-dev ;;
    bench) echo wireguard-tools iperf3 ;;
    peers) echo nebula wireguard-go ;;
    kubernetes) echo runc containernetworking-plugins busybox-static nftables ;;
    image) echo binutils ;;
    lint) echo shellcheck ;;
    native-lint) echo clang-16 clang-format-16 clang-tidy-16 python3 python3-pip ;;
    *) fail "no packages are known for '$1'" ;;
  esac
}

# Installs the Debian packages that are missing for what is named, or names the command that does.
need_packages() {
  local missing=() purpose names package
  for purpose in "$@"; do
    names=$(packages "$purpose")
    for package in $names; do
      [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
  done
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" = 0 ] || fail "missing Debian packages; run: sudo apt-get install --no-install-recommends ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$ROOT/.setup.log" 2>&1 ||
    { tail -n 20 "$ROOT/.setup.log" >&2; fail "apt-get could not install: ${missing[*]}"; }
}

# npm packages, exactly as locked, without running anybody's install script.
need_node_modules() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    fail "node and npm are missing; install Node.js 20 or newer"
  fi
  [ "$(node_version)" -ge 20 ] || fail "Node.js 20 or newer is needed; this is $(node --version)"
  local stamp=$ROOT/node_modules/.nsmesh-stamp
  if ! cmp -s "$ROOT/package-lock.json" "$stamp"; then
    say "installing npm packages"
    (cd "$ROOT" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    cp "$ROOT/package-lock.json" "$stamp"
  fi
  NODE=$(find_node)
  PATH=$(dirname "$NODE"):$ROOT/node_modules/.bin:$PATH
}

# The project's programs run on Node.js 24: the machine's own where it is new enough, else the one from npm.
find_node() {
  local arch=x64
  [ "$(uname -m)" = aarch64 ] && arch=arm64
  if [ "$(node_version)" -ge 24 ]; then command -v node
  elif [ -x "$ROOT/node_modules/node-linux-$arch/bin/node" ]; then echo "$ROOT/node_modules/node-linux-$arch/bin/node"
  else fail "Node.js 24 is needed and npm has none for $(uname -m); install it from your distribution"
  fi
}

node_version() { node -p 'Number(process.versions.node.split(".")[0])'; }

# Builds into $BUILD what is named, or everything: `need_dataplane [-DNAME=VALUE]... [TARGET]...`.
need_dataplane() {
  local log=$ROOT/.setup.log options=()
  while [[ ${1:-} == -D* ]]; do options+=("$1"); shift; done
  say "building the dataplane"
  { cmake -S "$NATIVE" -B "$BUILD" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo "${options[@]}" &&
    ninja -C "$BUILD" "$@"; } >"$log" 2>&1 ||
    { tail -n 40 "$log" >&2; fail "the dataplane did not build; the whole log is in $(basename "$log")"; }
}

need_root() {
  [ "$(id -u)" = 0 ] && return
  fail "this makes network namespaces and TUN devices and needs root; run: sudo $0 $*"
}

for argument in "$@"; do
  case $argument in -h | --help) print_help; exit 0 ;; esac
done
unset argument
