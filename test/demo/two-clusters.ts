/** West and east: two clusters that share nothing but the internet, and use the same addresses inside. */
import { type Node, nodeReady, nsmctl, type Registry, startNode, startRegistry } from '../lab/cluster.ts'
import type { Lab } from '../lab/lab.ts'
import { step } from '../lab/progress.ts'
import { requestServices, serveService, startWorkload, type Workload } from '../lab/workload.ts'

/** Both clusters hand out these inner addresses; nobody had to plan for it. */
const SAME_CIDR = '172.16.1.100/31'

export interface Cluster {
  readonly registry: Registry
  readonly nodes: readonly [Node, Node]
}

export interface TwoClusters {
  readonly west: Cluster
  readonly east: Cluster
  /** In east: serves files over HTTP. */
  readonly files: Workload
  /** In west: wants the files. */
  readonly reader: Workload
  /** In west: one wants a service of its own node, one a service of the other node. */
  readonly neighbour: Workload
  readonly colleague: Workload
}

export async function buildTwoClusters(lab: Lab): Promise<TwoClusters> {
  step('starting the clusters west and east: a registry and two nodes each')
  const [west, east] = await Promise.all([startCluster(lab, 'west', 10), startCluster(lab, 'east', 20)])
  await joinDomains(west, east)
  const [files, echo, greet] = await Promise.all([
    startWorkload(lab, east.nodes[0], 'files-1'),
    startWorkload(lab, west.nodes[0], 'echo-1'),
    startWorkload(lab, west.nodes[0], 'greet-1'),
  ])
  serveService(lab, files, { service: 'files', cidr: SAME_CIDR })
  serveService(lab, echo, { service: 'echo', cidr: SAME_CIDR })
  serveService(lab, greet, { service: 'greet', cidr: SAME_CIDR })
  await must(nsmctl(east.registry, 'domain', 'export', 'files', 'west'), 'nsmctl domain export')
  const workloads = await startClients(lab, west)
  return { west, east, files, ...workloads }
}

async function startClients(lab: Lab, west: Cluster): Promise<Pick<TwoClusters, 'reader' | 'neighbour' | 'colleague'>> {
  step('asking for network services from three workloads of west')
  const [first, second] = west.nodes
  const [reader, neighbour, colleague] = await Promise.all([
    startWorkload(lab, first, 'reader-1'),
    startWorkload(lab, first, 'neighbour-1'),
    startWorkload(lab, second, 'colleague-1'),
  ])
  await requestServices(lab, reader, 'kernel://files@east/nsm-1')
  await requestServices(lab, neighbour, 'kernel://echo/nsm-1')
  await requestServices(lab, colleague, 'kernel://greet/nsm-1')
  return { reader, neighbour, colleague }
}

async function startCluster(lab: Lab, domain: string, number: number): Promise<Cluster> {
  const registry = await startRegistry(lab, domain, { number })
  const start = (index: number) => startNode(lab, registry, { index, number: number + index })
  const nodes = await Promise.all([start(1), start(2)])
  await Promise.all(nodes.map(nodeReady))
  return { registry, nodes }
}

async function joinDomains(west: Cluster, east: Cluster): Promise<void> {
  step('joining the domains with a one-time token: nsmctl domain invite west, nsmctl domain join')
  const token = await must(nsmctl(east.registry, 'domain', 'invite', 'west'), 'nsmctl domain invite')
  await must(nsmctl(west.registry, 'domain', 'join', token.trim()), 'nsmctl domain join')
}

async function must(outcome: ReturnType<typeof nsmctl>, what: string): Promise<string> {
  const { code, stdout, stderr } = await outcome
  if (code !== 0) throw new Error(`${what}: exit status ${code}\n${stderr}`.trimEnd())
  return stdout
}
