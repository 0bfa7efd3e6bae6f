/** Two domains of one node each, with an endpoint in each: `near` on the clients' own node, `far@east` in the other. */
import { type Node, nodeReady, nsmctl, type Registry, startNode, startRegistry } from '../../lab/cluster.ts'
import type { Lab } from '../../lab/lab.ts'
import { until } from '../../lab/until.ts'
import { serveService, startWorkload } from '../../lab/workload.ts'
import { LIFETIME_MS } from './load-order.ts'

export const NEAR = 'near'
export const FAR = 'far@east'

export interface World {
  readonly lab: Lab
  /** Where the clients are. */
  readonly west: Node
  readonly east: Node
}

const LIFETIME = { NSM_MAX_TOKEN_LIFETIME: `${LIFETIME_MS / 1_000}s` }
/** All wires are those of one user. */
const ENVIRONMENT = { ...LIFETIME, NSM_MAX_WIRES: '100000' }

export async function buildWorld(lab: Lab): Promise<World> {
  const [west, east] = await Promise.all([startDomain(lab, 'west', 10), startDomain(lab, 'east', 20)])
  const token = await must(nsmctl(east.registry, 'domain', 'invite', 'west'))
  await must(nsmctl(west.registry, 'domain', 'join', token.trim()))
  for (const [node, service, cidr] of [
    [west.node, 'near', '10.64.0.0/12'],
    [east.node, 'far', '10.96.0.0/12'],
  ] as const) {
    const workload = await startWorkload(lab, node, `${service}-1`)
    serveService(lab, workload, { service, cidr, environment: LIFETIME })
  }
  await must(nsmctl(east.registry, 'domain', 'export', 'far', 'west'))
  await until('both endpoints', async () => {
    const lists = await Promise.all([west.node, east.node].map((each) => must(nsmctl(each, 'get', 'endpoints'))))
    return lists.every((list) => /near-1|far-1/.test(list))
  })
  return { lab, west: west.node, east: east.node }
}

async function startDomain(lab: Lab, domain: string, number: number): Promise<{ registry: Registry; node: Node }> {
  const registry = await startRegistry(lab, domain, { number, environment: {} })
  const node = await startNode(lab, registry, { index: 1, number: number + 1, environment: ENVIRONMENT })
  await nodeReady(node)
  return { registry, node }
}

async function must(outcome: ReturnType<typeof nsmctl>): Promise<string> {
  const { code, stdout, stderr } = await outcome
  if (code !== 0) throw new Error(`nsmctl: exit status ${code}\n${stderr}`.trimEnd())
  return stdout
}
