/** What the soak runs on: two domains of two nodes each, with two endpoints of one service, and clients in the other. */
import { type Node, nodeReady, nsmctl, type Registry, startNode, startRegistry } from '../lab/cluster.ts'
import type { Lab } from '../lab/lab.ts'
import { Service } from '../lab/service.ts'
import { until } from '../lab/until.ts'
import { requestServices, serveService, startWorkload, type Workload } from '../lab/workload.ts'

export interface SoakMesh {
  readonly lab: Lab
  readonly registries: readonly Registry[]
  readonly nodes: readonly Node[]
  /** In west: opens and closes wires all the time. */
  readonly churning: Workload
  /** In west, one on each node: each keeps a wire. */
  readonly keeping: readonly Workload[]
  /** The nsm-endpoints, in the order of {@link serving}. */
  readonly endpoints: readonly Service[]
  /** In east, one on each node. */
  readonly serving: readonly Workload[]
}

/** Each endpoint gives addresses of its own, so that a wire shows where it leads. */
const POOLS = ['172.16.8.0/22', '172.16.16.0/22'] as const

export async function buildSoakMesh(lab: Lab): Promise<SoakMesh> {
  const [west, east] = await Promise.all([startCluster(lab, 'west', 10), startCluster(lab, 'east', 20)])
  const token = await must(nsmctl(east.registry, 'domain', 'invite', 'west'))
  await must(nsmctl(west.registry, 'domain', 'join', token.trim()))
  const serving = await Promise.all(east.nodes.map((node, i) => startWorkload(lab, node, `serving-${i}`)))
  const endpoints = serving.map((workload, i) => {
    const launch = () => serveService(lab, workload, { service: 'files', cidr: POOLS[i] ?? '' })
    const endpoint = new Service(workload.name, launch)
    lab.defer(() => endpoint.close())
    return endpoint
  })
  await must(nsmctl(east.registry, 'domain', 'export', 'files', 'west'))
  await until('both endpoints', async () => (await registered(east.nodes[0])).length === 2)
  const [first] = west.nodes
  const churning = await startWorkload(lab, first, 'churning')
  const keeping = await Promise.all(west.nodes.map((node, i) => startWorkload(lab, node, `keeping-${i}`)))
  for (const workload of keeping) await requestServices(lab, workload, 'kernel://files@east/nsm-1')
  return {
    lab,
    registries: [west.registry, east.registry],
    nodes: [...west.nodes, ...east.nodes],
    churning,
    keeping,
    endpoints,
    serving,
  }
}

/** The names of the endpoints in the domain of a node. */
export async function registered(node: Node): Promise<readonly string[]> {
  const endpoints: readonly { name: string }[] = JSON.parse(await must(nsmctl(node, 'get', 'endpoints', '-o', 'json')))
  return endpoints.map(({ name }) => name).sort()
}

async function startCluster(lab: Lab, domain: string, number: number) {
  const registry = await startRegistry(lab, domain, { number })
  const start = (index: number) => startNode(lab, registry, { index, number: number + index })
  const nodes = await Promise.all([start(1), start(2)])
  await Promise.all(nodes.map(nodeReady))
  return { registry, nodes } as const
}

async function must(outcome: ReturnType<typeof nsmctl>): Promise<string> {
  const { code, stdout, stderr } = await outcome
  if (code !== 0) throw new Error(`nsmctl: exit status ${code}\n${stderr}`.trimEnd())
  return stdout
}
