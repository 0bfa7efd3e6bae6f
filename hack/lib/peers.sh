# shellcheck shell=bash
# The foreign programs that the bench compares with and that hack/test peers runs the mesh with. Sourced after
# setup.sh and go.sh.

PEERS_GO=1.26 # what test/peers/go.mod asks for
PEERS=$ROOT/test/peers

# wireguard-go and nebula, the newest; where they cannot be built, Debian's. Sets NSM_PEERS to their folder, or empty.
need_peers() {
  if ! has_go "$PEERS_GO"; then
    debian_peers "no Go $PEERS_GO or newer"
    return
  fi
  export NSM_PEERS
  NSM_PEERS=$(built_folder peers "$PEERS"/go.{mod,sum})
  [ -f "$NSM_PEERS/versions" ] || build_peers || debian_peers "the newest did not build"
}

# SPIRE, and the reader of certificates that Go programs have. Sets NSM_SPIRE to their folder.
need_spire() {
  has_go "$PEERS_GO" || fail "Go $PEERS_GO or newer is needed to build SPIRE; install it from https://go.dev/dl, and put it on the PATH"
  export NSM_SPIRE
  NSM_SPIRE=$(built_folder spire "$PEERS"/spire/go.{mod,sum} "$PEERS/parse-certificates/main.go")
  [ -f "$NSM_SPIRE/versions" ] || build_spire || fail "SPIRE did not build; the whole log is in .setup.log"
}

debian_peers() {
  say "$1: the peers are Debian's"
  need_packages peers
  export NSM_PEERS=
}

build_peers() {
  say "building wireguard-go and nebula"
  mkdir -p "$NSM_PEERS"
  CGO_ENABLED=0 GOBIN=$NSM_PEERS run_go "$PEERS" install -trimpath tool || return
  mv "$NSM_PEERS/wireguard" "$NSM_PEERS/wireguard-go"
  write_versions "$NSM_PEERS" wireguard-go nebula
}

build_spire() {
  say "building SPIRE, which takes minutes"
  mkdir -p "$NSM_SPIRE"
  GOBIN=$NSM_SPIRE run_go "$PEERS/spire" install -trimpath -ldflags='-s -w' tool || return
  CGO_ENABLED=0 run_go "$PEERS" build -o "$NSM_SPIRE/parse-certificates" ./parse-certificates || return
  write_versions "$NSM_SPIRE" spire-server spire-agent
}
