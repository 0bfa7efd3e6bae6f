/** Tells the reconciler of pods what the API server says: the pods of this node, and the annotations of namespaces. */
import type { Clock, Logger } from '../../base/index.ts'
import { Scope } from '../../base/index.ts'
import { Informer, type KubeObject, type ObjectSource, type Resource } from '../../kube/index.ts'
import type { GatedNamespaces } from '../gate/gated-namespaces.ts'
import type { NodePods } from './node-pods.ts'
import { ownAnnotations, PODS, type Pod, type PodObject, readPod } from './pod.ts'

export const NAMESPACES: Resource<KubeObject> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  isNamespaced: false,
}

export interface ClusterOptions {
  /** A `KubeClient`. */
  readonly client: ObjectSource<PodObject> & ObjectSource<KubeObject>
  readonly nodeName: string
  readonly pods: Pick<NodePods, 'setPod' | 'removePod' | 'setNamespace'>
  /** Undefined where pods start without a gate. */
  readonly gated: Pick<GatedNamespaces, 'set' | 'settle'> | undefined
  readonly clock: Clock
  readonly logger: Logger
}

export interface FollowedCluster {
  /** Resolves when all that was there at the start has been told. */
  synced(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export function followCluster({ client, nodeName, pods, gated, clock, logger }: ClusterOptions): FollowedCluster {
  const scope = new Scope()
  const common = { clock, logger }
  const annotations = ({ metadata }: KubeObject) => ownAnnotations(metadata.annotations)
  const namespaces = scope.own(
    new Informer<KubeObject, Readonly<Record<string, string>>>({
      client,
      resource: NAMESPACES,
      read: annotations,
      ...common,
    }),
  )
  namespaces.subscribe(({ key, value }) => {
    gated?.set(key, value)
    pods.setNamespace(key, value)
  })
  namespaces
    .synced(scope.signal)
    .then(() => gated?.settle())
    .catch(() => {}) // it closes before all is known
  const fieldSelector = `spec.nodeName=${nodeName}`
  const own = scope.own(
    new Informer<PodObject, Pod>({ client, resource: PODS, fieldSelector, read: readPod, ...common }),
  )
  own.subscribe(({ before, value }) => {
    // A name may come back with another pod.
    if (before !== undefined && before.uid !== value?.uid) pods.removePod(before.uid)
    if (value !== undefined) pods.setPod(value)
  })
  return {
    synced: async (signal) => void (await Promise.all([namespaces.synced(signal), own.synced(signal)])),
    close: () => scope.close(),
  }
}
