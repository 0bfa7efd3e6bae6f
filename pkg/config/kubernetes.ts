/** How a program reaches the API server of Kubernetes: by a kubeconfig, or as a pod does. */
import { NsmError } from '../base/index.ts'
import { type Cluster, inCluster, readKubeconfig } from '../kube/index.ts'
import { absolutePath, port, text } from './parsers.ts'
import { optional, required, withDefault } from './table.ts'

export const kubernetesVariables = {
  kubeconfig: optional(
    'KUBECONFIG',
    'file that says how to reach the API server of Kubernetes; without it, as a pod of the cluster does',
    absolutePath,
  ),
  apiServerHost: optional(
    'KUBERNETES_SERVICE_HOST',
    'address of the API server; Kubernetes sets it in every pod',
    text,
  ),
  apiServerPort: withDefault(required('KUBERNETES_SERVICE_PORT', 'port of the API server, likewise', port), '443'),
}

export interface KubernetesAccess {
  readonly kubeconfig: string | undefined
  readonly apiServerHost: string | undefined
  readonly apiServerPort: number
}

/** @throws {NsmError} `invalid_argument` when nothing says where the API server is */
export async function clusterOf({ kubeconfig, apiServerHost, apiServerPort }: KubernetesAccess): Promise<Cluster> {
  if (kubeconfig !== undefined) return readKubeconfig(kubeconfig)
  if (apiServerHost !== undefined) return inCluster({ host: apiServerHost, port: `${apiServerPort}` })
  throw new NsmError('invalid_argument', 'Cannot find the API server of Kubernetes: this is no pod', {
    next: 'set KUBECONFIG to a file that says how to reach it',
  })
}
