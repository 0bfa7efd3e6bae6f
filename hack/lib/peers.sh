# shellcheck shell=bash
# The foreign programs that the bench compares with. Sourced after setup.sh; sets NSM_PEERS.

PEERS_GO=1.26 # what test/peers/go.mod asks for

# The newest, built by Go into a folder of the user's cache that is named by their versions; where that cannot be done,
# Debian's packages. $NSM_PEERS is that folder, or empty.
need_peers() {
  local module=$ROOT/test/peers key
  if ! has_go; then
    debian_peers "no Go $PEERS_GO or newer"
    return
  fi
  key=$(cat "$module/go.mod" "$module/go.sum" <(go env GOVERSION) | sha256sum | cut -c1-16)
  export NSM_PEERS=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/nsmesh/peers-$key
  [ -f "$NSM_PEERS/versions" ] || build_peers "$module" || debian_peers "the newest did not build"
}

debian_peers() {
  say "$1: the peers are Debian's"
  need_packages peers
  export NSM_PEERS=
}

has_go() {
  command -v go >/dev/null || return
  [ "$(printf 'go%s\n' "$PEERS_GO" "$(go env GOVERSION | sed 's/^go//')" | sort -V | head -n 1)" = "go$PEERS_GO" ]
}

# The file of versions comes last: it says that the folder is whole.
build_peers() {
  say "building wireguard-go and nebula"
  mkdir -p "$NSM_PEERS"
  (cd "$1" && CGO_ENABLED=0 GOFLAGS=-mod=readonly GOBIN=$NSM_PEERS go install -trimpath tool) >"$ROOT/.setup.log" 2>&1 ||
    { tail -n 20 "$ROOT/.setup.log" >&2; return 1; }
  mv "$NSM_PEERS/wireguard" "$NSM_PEERS/wireguard-go"
  local peer
  for peer in wireguard-go nebula; do
    printf '%s %s\n' "$peer" "$(go version -m "$NSM_PEERS/$peer" | awk '$1 == "mod" { print $3 }')"
  done >"$NSM_PEERS/versions.new"
  mv "$NSM_PEERS/versions.new" "$NSM_PEERS/versions"
}
