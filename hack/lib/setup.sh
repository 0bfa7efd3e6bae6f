# What every command under hack/ does first: brings a fresh clone on Debian 12 to the point where the project's own
# programs run. Each step says what it does, does nothing when it is done already, and names the command that mends
# it when it cannot be done. Sourced, not run; sets ROOT and NODE.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
NATIVE=$ROOT/pkg/dataplane/native
BUILD=${NSM_BUILD_DIR:-$NATIVE/build}

BUILD_PACKAGES=(g++ cmake ninja-build libssl-dev libseccomp-dev iproute2 util-linux)
[ "$(uname -m)" = x86_64 ] && BUILD_PACKAGES+=(libipsec-mb-dev)
DEMO_PACKAGES=(python3 curl tcpdump iputils-ping procps)
TEST_PACKAGES=(wireguard-go wireguard-tools iperf3 python3-grpcio python3-protobuf python3-jwt python3-cryptography)
FUZZ_PACKAGES=(clang-16 libclang-rt-16-dev)
BENCH_PACKAGES=(nebula wireguard-go wireguard-tools iperf3)

say() { printf '\033[2m[%s]\033[0m %s\n' "$(basename "$0")" "$*" >&2; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Installs the Debian packages that are missing, or names the command that does.
need_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
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
  command -v node >/dev/null && command -v npm >/dev/null || fail "node and npm are missing; install Node.js 20 or newer"
  [ "$(node -p 'Number(process.versions.node.split(".")[0])')" -ge 20 ] || fail "Node.js 20 or newer is needed; this is $(node --version)"
  local stamp=$ROOT/node_modules/.nsmesh-stamp
  if ! cmp -s "$ROOT/package-lock.json" "$stamp"; then
    say "installing npm packages"
    (cd "$ROOT" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    cp "$ROOT/package-lock.json" "$stamp"
  fi
  NODE=$(find_node)
  export PATH=$(dirname "$NODE"):$PATH
}

# The project's programs run on Node.js 24: the machine's own where it is new enough, else the one from npm.
find_node() {
  local arch=x64
  [ "$(uname -m)" = aarch64 ] && arch=arm64
  if [ "$(node -p 'Number(process.versions.node.split(".")[0])')" -ge 24 ]; then command -v node
  elif [ -x "$ROOT/node_modules/node-linux-$arch/bin/node" ]; then echo "$ROOT/node_modules/node-linux-$arch/bin/node"
  else fail "Node.js 24 is needed and npm has none for $(uname -m); install it from your distribution"
  fi
}

# Builds nsm-dataplane and its tests into $BUILD, passing further arguments to cmake.
need_dataplane() {
  local log=$ROOT/.setup.log
  if [ ! -f "$BUILD/build.ninja" ]; then say "configuring the dataplane"; else say "building the dataplane"; fi
  { cmake -S "$NATIVE" -B "$BUILD" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo "$@" && ninja -C "$BUILD"; } >"$log" 2>&1 ||
    { tail -n 40 "$log" >&2; fail "the dataplane did not build; the whole log is in $(basename "$log")"; }
}

need_root() {
  [ "$(id -u)" = 0 ] && return
  fail "this makes network namespaces and TUN devices and needs root; run: sudo $0 $*"
}
