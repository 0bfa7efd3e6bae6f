/** The programs of Kubernetes, which hack/lib/kubernetes.sh builds from Go modules. */
import { existsSync } from 'node:fs'

const FOLDER = process.env['NSM_KUBERNETES_PROGRAMS'] ?? ''

/** Those of one binary, then those of containerd. */
export type KubernetesProgram =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kube-proxy'
  | 'kubelet'
  | 'kubectl'
  | 'containerd'
  | 'ctr'

/** Why there is no Kubernetes here, or undefined. */
export function missingForKubernetes(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces'
  if (!existsSync(`${FOLDER}/versions`))
    return 'needs NSM_KUBERNETES_PROGRAMS: run hack/test kubernetes, which builds Kubernetes'
  return undefined
}

export function kubernetesProgram(name: KubernetesProgram): string {
  return `${kubernetesFolder()}/${name}`
}

/** Of all programs: containerd finds its shim on its PATH. */
export function kubernetesFolder(): string {
  const missing = missingForKubernetes()
  if (missing !== undefined) throw new Error(`Kubernetes ${missing}`)
  return FOLDER
}
