# shellcheck shell=bash
# Kubernetes itself, for the tests and for hack/cluster: the real programs, built from their Go modules. Sourced after
# setup.sh and go.sh.

KUBERNETES_GO=1.26.6 # what test/kubernetes/programs/go.mod asks for
KUBERNETES=$ROOT/test/kubernetes/programs
# Of the one binary that they are.
KUBERNETES_NAMES=(etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl)

# Sets NSM_KUBERNETES_PROGRAMS to the folder of the programs.
need_kubernetes() {
  has_go "$KUBERNETES_GO" ||
    fail "Go $KUBERNETES_GO or newer is needed to build Kubernetes; install it from https://go.dev/dl, and put it on the PATH"
  need_packages kubernetes
  export NSM_KUBERNETES_PROGRAMS
  NSM_KUBERNETES_PROGRAMS=$(built_folder kubernetes "$KUBERNETES"/{go.mod,go.sum,main.go})
  [ -f "$NSM_KUBERNETES_PROGRAMS/versions" ] || build_kubernetes || fail "Kubernetes did not build; the whole log is in .setup.log"
}

build_kubernetes() {
  local name version variables=k8s.io/component-base/version
  version=$(version_of k8s.io/kubernetes)
  say "building Kubernetes $version and containerd: about 20 minutes of CPU time, once"
  mkdir -p "$NSM_KUBERNETES_PROGRAMS"
  IFS=. read -r major minor _ <<<"${version#v}"
  variables="-X $variables.gitVersion=$version -X $variables.gitMajor=$major -X $variables.gitMinor=$minor"
  CGO_ENABLED=0 run_go "$KUBERNETES" build -trimpath -ldflags="-s -w $variables" -o "$NSM_KUBERNETES_PROGRAMS/kubernetes" . || return
  for name in "${KUBERNETES_NAMES[@]}"; do ln -sf kubernetes "$NSM_KUBERNETES_PROGRAMS/$name"; done
  CGO_ENABLED=0 GOBIN=$NSM_KUBERNETES_PROGRAMS run_go "$KUBERNETES" install -trimpath -ldflags='-s -w' tool || return
  printf '%s\n' "kubernetes $version" "containerd $(version_of github.com/containerd/containerd/v2)" \
    "etcd $(version_of go.etcd.io/etcd/server/v3)" >"$NSM_KUBERNETES_PROGRAMS/versions"
}

# version_of MODULE
version_of() { awk -v module="$1" '$1 == module { print $2 }' "$KUBERNETES/go.mod"; }
