/** What the programs of a node are configured with, as files of the node. */
import { kubernetesProgram } from './programs.ts'

export const CLUSTER_CIDR = '10.244.0.0/16'
export const SERVICE_CIDR = '10.96.0.0/16'
/** Of the Service of the cluster's DNS, where there is one. */
export const DNS_ADDRESS = '10.96.0.10'
export const PAUSE_IMAGE = 'localhost/pause:1'

export const CONTAINERD_FILE = '/etc/containerd/config.toml'
export const KUBELET_FILE = '/etc/kubernetes/kubelet.json'
export const KUBELET_KUBECONFIG = '/etc/kubernetes/kubelet.kubeconfig'
export const PROXY_FILE = '/etc/kubernetes/proxy.json'
export const PROXY_KUBECONFIG = '/etc/kubernetes/proxy.kubeconfig'
export const AUTHORITY_FILE = '/etc/kubernetes/authority.pem'
export const CNI_FILE = '/etc/cni/net.d/10-pods.conflist'

/** All paths are containerd's own. */
export function containerdConfig(): string {
  return `version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '${PAUSE_IMAGE}'
[plugins.'io.containerd.cri.v1.runtime']
# In a container, root may not do what the kernel asks for a negative score.
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
`
}

export function kubeletConfig(address: string): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    healthzBindAddress: '127.0.0.1',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: AUTHORITY_FILE },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    clusterDNS: [DNS_ADDRESS],
    clusterDomain: 'cluster.local',
    resolvConf: '/dev/null',
    // The disk is that of this machine, and not the node's to keep clean.
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    maxPods: 250,
    serializeImagePulls: false,
  })
}

export function proxyConfig(address: string): string {
  return JSON.stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    bindAddress: address,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    clientConnection: { kubeconfig: PROXY_KUBECONFIG },
    clusterCIDR: CLUSTER_CIDR,
    // Limits of the whole machine, which a network namespace cannot set.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  })
}

/** The network of the pods: a bridge on each node; between nodes, the nodes' own routes lead. */
export function conflist(podCidr: string): string {
  const ipam = { type: 'host-local', ranges: [[{ subnet: podCidr }]], routes: [{ dst: '0.0.0.0/0' }] }
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, hairpinMode: true, ipam }
  return JSON.stringify({ cniVersion: '1.0.0', name: 'pods', plugins: [bridge] })
}

export const COMMANDS = {
  containerd: () => [kubernetesProgram('containerd'), '--config', CONTAINERD_FILE],
  kubelet: (name: string, address: string) => [
    kubernetesProgram('kubelet'),
    ...[`--config=${KUBELET_FILE}`, `--kubeconfig=${KUBELET_KUBECONFIG}`],
    ...[`--hostname-override=${name}`, `--node-ip=${address}`],
  ],
  'kube-proxy': (name: string) => [
    kubernetesProgram('kube-proxy'),
    `--config=${PROXY_FILE}`,
    `--hostname-override=${name}`,
  ],
} as const
