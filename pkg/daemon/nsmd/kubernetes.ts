import type { Runtime, Scope } from '../../base/index.ts'
import { clusterOf, type NsmdConfig } from '../../config/index.ts'
import type { ConnectionTable } from '../../connections/index.ts'
import { httpsTransport, KubeClient } from '../../kube/index.ts'
import {
  type ClusterOptions,
  endFormerWires,
  followCluster,
  GatedNamespaces,
  NodePods,
  type PodNamespaces,
  PodReports,
  type PodReportsOptions,
  SlippedPods,
  type StartGate,
} from '../../kubernetes/index.ts'
import { type PodParts, podKeeper } from './pods.ts'

type KnownParts = Omit<PodParts, 'maxLifetimeMs' | 'unsigned'>

/** What nsmd uses of the API server. */
export interface ClusterClient {
  readonly objects: ClusterOptions['client'] & PodReportsOptions['client']
  close(): void
}

export interface KubernetesOptions extends Runtime {
  readonly config: NsmdConfig
  readonly namespaces: PodNamespaces
  /** For tests: an API server in memory. */
  readonly openCluster?: (config: NsmdConfig, runtime: Runtime) => Promise<ClusterClient>
  readonly scope: Scope
  /** Through which the pods start. */
  readonly gate: Pick<StartGate, 'open'>
  /** The connections of this node. */
  readonly table: Pick<ConnectionTable, 'all'>
  readonly end: (id: string, reason: string) => Promise<void>
}

/** Where the node runs in Kubernetes: keeps the wires of its pods until `scope` is closed; then they stand on. */
export async function keepPods(options: KubernetesOptions, known: KnownParts): Promise<void> {
  const { config, scope, gate, namespaces, clock, logger } = options
  const settle = () => known.podEndpoints.settle()
  if (!isInKubernetes(config)) return settle() // none of this daemon's own is awaited
  const parts = { ...known, maxLifetimeMs: config.maxTokenLifetimeMs, unsigned: config.unsignedPath }
  const client = scope.own(await (options.openCluster ?? openCluster)(config, options))
  const common = { clock, logger }
  const inCluster = { ownNamespace: config.namespace, ...common }
  const keeper = podKeeper(parts)
  const pods = scope.own(new NodePods({ keeper, namespaces, ...inCluster }))
  const nodeName = config.nodeName ?? config.name
  const reports = scope.own(new PodReports({ pods, client: client.objects, nodeName, ...common }))
  const { gateDir: folder } = config
  const gated = folder === undefined ? undefined : new GatedNamespaces({ folder, ...inCluster })
  if (folder !== undefined) scope.own(new SlippedPods({ pods, folder, sinceMs: clock.nowMs(), logger }))
  const cluster = scope.own(followCluster({ client: client.objects, nodeName, pods, gated, ...common }))
  scope.run(
    (until) =>
      cluster
        .synced(until)
        .then(() => gate.open(pods)) // earlier, pods that inherit would seem to ask for nothing
        .then(() => reports.begin())
        .then(() => pods.idle())
        .then(settle)
        .then(() => endFormerWires({ ...options, pods }))
        .catch(() => {}), // it closes before all is known
  )
}

function isInKubernetes({ kubernetes, nodeTokenFile }: NsmdConfig): boolean {
  return kubernetes === 'on' || (kubernetes === 'auto' && nodeTokenFile !== undefined)
}

async function openCluster(config: NsmdConfig, { clock }: Runtime): Promise<ClusterClient> {
  const objects = new KubeClient({ transport: httpsTransport(await clusterOf(config)), clock })
  return { objects, close: () => objects.close() }
}
