# shellcheck shell=bash
# Programs of others that Go builds, each set into a folder of the user's cache that is named by what it was built from.
# Sourced after setup.sh.

# Whether there is a Go as new as VERSION.
has_go() {
  command -v go >/dev/null || return
  [ "$(printf 'go%s\n' "$1" "$(go env GOVERSION | sed 's/^go//')" | sort -V | head -n 1)" = "go$1" ]
}

# built_folder NAME FILE...
built_folder() {
  local name=$1 key
  shift
  key=$(cat "$@" <(go env GOVERSION) | sha256sum | cut -c1-16)
  echo "${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/nsmesh/$name-$key"
}

# run_go FOLDER ARGUMENT...
run_go() {
  local folder=$1
  shift
  (cd "$folder" && GOFLAGS=-mod=readonly go "$@") >"$ROOT/.setup.log" 2>&1 ||
    { tail -n 20 "$ROOT/.setup.log" >&2; return 1; }
}

# The file of versions comes last: it says that the folder is whole.
write_versions() {
  local folder=$1 program
  shift
  for program in "$@"; do
    printf '%s %s\n' "$program" "$(go version -m "$folder/$program" | awk '$1 == "mod" { print $3 }')"
  done >"$folder/versions.new"
  mv "$folder/versions.new" "$folder/versions"
}
