/**
 * A domain of three nodes and one of one node, joined. A client at the first node has a wire to a service with an endpoint
 * at each of the other two, and one to a service of the other domain. Pods live by their processes alone.
 */
import type { ChildProcess } from 'node:child_process'
import { type Node, nodeReady, nsmctl, type Registry, startNode, startRegistry } from '../../lab/cluster.ts'
import type { Lab } from '../../lab/lab.ts'
import { run } from '../../lab/shell.ts'
import { until } from '../../lab/until.ts'
import { requestServices, serveService, startWorkload, type Workload } from '../../lab/workload.ts'

/** One pair of addresses, the same at both endpoints: the client keeps its own, whichever serves it. */
const CIDR = '172.16.1.100/31'
export const ENDPOINT_IP = '172.16.1.100'
const FAR_CIDR = '172.16.2.100/31'
export const FAR_IP = '172.16.2.100'

export interface World {
  readonly lab: Lab
  readonly west: Registry
  readonly east: Registry
  /** Of the client, and of the endpoints. */
  readonly nodes: readonly [Node, Node, Node]
  readonly client: Workload
  /** The pods that serve, by the name of the endpoint. */
  readonly pods: Map<string, Pod>
}

export interface Pod {
  readonly name: string
  readonly node: Node
  readonly processes: readonly ChildProcess[]
}

let made = 0

export async function buildWorld(lab: Lab): Promise<World> {
  const [west, east] = await Promise.all([
    startRegistry(lab, 'west', { number: 10 }),
    startRegistry(lab, 'east', { number: 20 }),
  ])
  const start = (registry: Registry, index: number, number: number) => startNode(lab, registry, { index, number })
  const [first, second, third, far] = await Promise.all([
    start(west, 1, 11),
    start(west, 2, 12),
    start(west, 3, 13),
    start(east, 1, 21),
  ])
  await Promise.all([first, second, third, far].map(nodeReady))
  const token = await must(nsmctl(east, 'domain', 'invite', 'west'))
  await must(nsmctl(west, 'domain', 'join', token.trim()))
  const client = await startWorkload(lab, first, 'client-1')
  const world = { lab, west, east, nodes: [first, second, third] as const, client, pods: new Map<string, Pod>() }
  await Promise.all([second, third].map((node) => startPod(world, node)))
  await startPod(world, far, { service: 'far', cidr: FAR_CIDR })
  await must(nsmctl(east, 'domain', 'export', 'far', 'west'))
  await requestServices(lab, client, 'kernel://files/nsm-1,kernel://far@east/nsm-2')
  return world
}

/** A pod with an endpoint; resolves when that is found. */
export async function startPod(
  { lab, pods }: Pick<World, 'lab' | 'pods'>,
  node: Node,
  served = { service: 'files', cidr: CIDR },
): Promise<Pod> {
  made += 1
  const name = `${served.service}-${made}`
  const workload = await startWorkload(lab, node, name)
  const pod = { name, node, processes: [workload.program, serveService(lab, workload, served)] }
  const isFound = async () => (await nsmctl(node, 'get', 'endpoints')).stdout.includes(name)
  await until(`the endpoint ${name}`, isFound)
  await run(['ip', 'netns', 'del', workload.host.name]) // from here on its processes alone keep the namespace
  pods.set(name, pod)
  return pod
}

/** The pod to which the client's wire leads; undefined while it is not up. */
export async function servingPod({ nodes: [node], pods }: World): Promise<Pod | undefined> {
  const { code, stdout } = await nsmctl(node, 'get', 'wires', '-o', 'json')
  if (code !== 0) return undefined
  const wires: readonly { networkService: string; endpoint: string; state: string }[] = JSON.parse(stdout)
  const wire = wires.find(({ networkService, state }) => networkService === 'files' && state === 'up')
  return wire && pods.get(wire.endpoint)
}

/** The link of a node to the internet of the lab. */
export function linkOf({ address }: Node): string {
  return `host${address.split('.').at(-1)}`
}

/** Two nodes that reach everybody but each other. */
export async function cut({ lab }: World, nodes: readonly Node[], isCut: boolean): Promise<void> {
  for (const node of nodes) {
    await lab.internet.ip(`link set ${linkOf(node)} type bridge_slave isolated ${isCut ? 'on' : 'off'}`)
  }
}

export function kill({ processes }: Pod, signal: NodeJS.Signals = 'SIGKILL'): void {
  for (const process of processes) process.kill(signal)
}

async function must(outcome: ReturnType<typeof nsmctl>): Promise<string> {
  const { code, stdout, stderr } = await outcome
  if (code !== 0) throw new Error(`nsmctl: exit status ${code}\n${stderr}`.trimEnd())
  return stdout
}
