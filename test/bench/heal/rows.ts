/** What dies, and what is put right before the next run. */
import { nodeReady } from '../../lab/cluster.ts'
import { until } from '../../lab/until.ts'
import { cut, ENDPOINT_IP, FAR_IP, kill, linkOf, type Pod, servingPod, startPod, type World } from './world.ts'

export interface Row {
  readonly name: string
  readonly goalMs: number
  /** What the client pings. */
  readonly ip: string
  /** What has to be so before, and is not in the other rows. */
  prepare?(world: World, serving: Pod): Promise<void>
  /** @param serving the pod to which the wire leads */
  break(world: World, serving: Pod): Promise<void>
  /** Another pod for one that died, a link that works, a registry that runs. */
  mend(world: World, serving: Pod): Promise<void>
}

/** The only other endpoint is at the node of the first. */
const gather = async (world: World, { node }: Pod) => {
  for (const pod of [...world.pods.values()]) {
    if (pod.node === node || !world.nodes.includes(pod.node)) continue
    world.pods.delete(pod.name)
    kill(pod)
  }
  await startPod(world, node)
}

const replacePod = async (world: World, serving: Pod) => {
  world.pods.delete(serving.name)
  kill(serving)
  await startPod(world, serving.node)
}

export const ROWS: readonly Row[] = [
  {
    name: 'endpoint killed',
    goalMs: 1_000,
    ip: ENDPOINT_IP,
    break: async (_, { processes: [, endpoint] }) => void endpoint?.kill('SIGKILL'),
    mend: replacePod,
  },
  { name: 'pod killed', goalMs: 1_000, ip: ENDPOINT_IP, break: async (_, pod) => kill(pod), mend: replacePod },
  {
    name: 'pod deleted',
    goalMs: 1_000,
    ip: ENDPOINT_IP,
    break: async (_, pod) => {
      pod.processes[1]?.kill('SIGTERM')
      setTimeout(() => kill(pod), 1_000)
    },
    mend: replacePod,
  },
  {
    name: 'node lost',
    goalMs: 1_500,
    ip: ENDPOINT_IP,
    break: async ({ lab }, { node }) => lab.internet.ip(`link set ${linkOf(node)} down`),
    mend: async ({ lab }, { node }) => {
      await lab.internet.ip(`link set ${linkOf(node)} up`)
      await nodeReady(node)
    },
  },
  {
    name: 'link cut',
    goalMs: 1_000,
    ip: ENDPOINT_IP,
    break: (world, { node }) => cut(world, [world.nodes[0], node], true),
    mend: async (world, { node }) => {
      await cut(world, [world.nodes[0], node], false)
      await nodeReady(node)
    },
  },
  {
    name: 'endpoint drained, one node',
    goalMs: 1_000,
    ip: ENDPOINT_IP,
    prepare: gather,
    break: async (_, { processes: [, endpoint] }) => void endpoint?.kill('SIGTERM'),
    mend: async (world, serving) => {
      world.pods.delete(serving.name)
      kill(serving)
      const [, second, third] = world.nodes
      await startPod(world, serving.node === second ? third : second)
    },
  },
  {
    name: 'registry lost',
    goalMs: 1_000,
    ip: ENDPOINT_IP,
    break: async ({ west }) => west.service.kill(),
    mend: async ({ nodes }) => void (await Promise.all(nodes.map(nodeReady))),
  },
  {
    name: "other domain's registry lost",
    goalMs: 1_000,
    ip: FAR_IP,
    break: async ({ east }) => east.service.kill(),
    mend: async ({ nodes }) => void (await Promise.all(nodes.map(nodeReady))),
  },
]

/** Resolves with the pod that serves, once the wire is up. */
export async function steady(world: World): Promise<Pod> {
  let serving: Pod | undefined
  await until('the wire to be up', async () => {
    serving = await servingPod(world)
    return serving !== undefined
  })
  if (serving === undefined) throw new Error('the wire leads nowhere')
  return serving
}
