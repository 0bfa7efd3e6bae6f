/** Parts of the mesh die in turn under a steady ping; what was lost is counted. */
import { SERVED_AT } from '../../kubernetes/workloads.ts'
import { detail, step } from '../../lab/progress.ts'
import { until } from '../../lab/until.ts'
import type { TwoClusters } from './two-clusters.ts'

const PER_SECOND = 100
const PING_AFTER_MS = 1_000
const HEALTHY_MS = 90_000

export interface Loss {
  readonly what: string
  /** Whether no packet may be lost. */
  readonly isLossless: boolean
  readonly lost: number
  /** The longest time of which no ping was answered. */
  readonly blackoutMs: number
  /** `kubectl nsm status` complains of no node of either cluster once the part is back. */
  readonly healthy: boolean
}

interface Death {
  readonly what: string
  readonly isLossless: boolean
  readonly pingSeconds: number
  kill(mesh: TwoClusters): Promise<unknown>
}

const DEATHS: readonly Death[] = [
  { what: 'nsmd on every node', isLossless: true, pingSeconds: 6, kill: (mesh) => killOnNodes(mesh, '/usr/bin/nsmd$') },
  {
    what: 'engine on every node',
    isLossless: true,
    pingSeconds: 6,
    kill: (mesh) => killOnNodes(mesh, '^nsm-dataplane engine'),
  },
  {
    what: 'registry pods of both clusters',
    isLossless: true,
    pingSeconds: 15,
    kill: (mesh) => inBoth(mesh, '-n nsm-system delete pod -l app.kubernetes.io/name=nsm-registry --wait=false'),
  },
  {
    what: "nsmd's pods of west, the holder with them",
    isLossless: false,
    pingSeconds: 30,
    kill: ({ laptop }) => laptop.shell('kubectl -n nsm-system delete pod -l app.kubernetes.io/name=nsmd --wait=false'),
  },
  { what: 'the endpoint pod, of two', isLossless: false, pingSeconds: 20, kill: deleteEndpoint },
  { what: "the endpoint's node, drained", isLossless: false, pingSeconds: 30, kill: drainNode },
]

export async function dieInTurn(mesh: TwoClusters): Promise<readonly Loss[]> {
  step(`parts of the mesh die in turn, at ${PER_SECOND} pings a second`)
  await mesh.laptop.shell('kubectl --context east scale deployment/files --replicas=2')
  await mesh.laptop.shell('kubectl --context east rollout status deployment/files --timeout=120s')
  const losses: Loss[] = []
  for (const death of DEATHS) {
    const pinged = await underPing(mesh, death)
    const { what, isLossless } = death
    const loss = { what, isLossless, ...pinged, healthy: await becomesHealthy(mesh) }
    detail(`${what}: ${loss.lost} lost, ${loss.blackoutMs} ms dark${loss.healthy ? '' : ', not well afterwards'}`)
    losses.push(loss)
  }
  return losses
}

async function underPing(mesh: TwoClusters, { pingSeconds, kill }: Death) {
  const count = PER_SECOND * pingSeconds
  const { machine, namespace } = await placeOfReader(mesh)
  const ping = ['ping', '-n', '-i', `${1 / PER_SECOND}`, '-c', `${count}`, '-W', '2', SERVED_AT]
  const pinging = machine.tryRun(['nsenter', `--net=${namespace}`, ...ping])
  await new Promise((resolve) => setTimeout(resolve, PING_AFTER_MS))
  await kill(mesh)
  const answered = new Set(
    [...(await pinging).stdout.matchAll(/ icmp_seq=(\d+) /g)].map(([, number]) => Number(number)),
  )
  const lost = Array.from({ length: count }, (_, index) => index + 1).filter((number) => !answered.has(number))
  return { lost: lost.length, blackoutMs: longestRun(lost) * (1_000 / PER_SECOND) }
}

/** The machine with the pod that has the wire, and its namespace there. */
async function placeOfReader({ west }: TwoClusters) {
  for (const { machine } of west.nodes) {
    const find =
      'for pod in /run/netns/*; do nsenter --net=$pod ip link show nsm-1 >/dev/null 2>&1 && echo $pod; done; true'
    const namespace = (await machine.run(['sh', '-c', find])).trim()
    if (namespace !== '') return { machine, namespace }
  }
  throw new Error('no pod of west has the wire')
}

/** How many of them follow each other directly. */
function longestRun(numbers: readonly number[]): number {
  let [longest, run] = [0, 0]
  for (const [index, number] of numbers.entries()) {
    run = number - 1 === numbers[index - 1] ? run + 1 : 1
    longest = Math.max(longest, run)
  }
  return longest
}

async function becomesHealthy({ laptop }: TwoClusters): Promise<boolean> {
  const isWell = async () => {
    const statuses = ['kubectl nsm status', 'kubectl nsm --context east status']
    const outcomes = await Promise.all(statuses.map((line) => laptop.tryShell(line)))
    return outcomes.every(({ code }) => code === 0)
  }
  return until('the nodes to be well', isWell, HEALTHY_MS).then(
    () => true,
    () => false,
  )
}

function inBoth({ laptop }: TwoClusters, words: string) {
  return Promise.all(['west', 'east'].map((context) => laptop.shell(`kubectl --context ${context} ${words}`)))
}

/** By their ids, each on its machine, whose processes are its own alone. */
async function killOnNodes({ west, east }: TwoClusters, pattern: string): Promise<void> {
  const kill = ['sh', '-c', `kill -9 $(pgrep -f '${pattern}')`]
  await Promise.all([...west.nodes, ...east.nodes].map(({ machine }) => machine.run(kill)))
}

/** The one that the wire leads to; the wire goes on to the other. */
async function deleteEndpoint(mesh: TwoClusters): Promise<void> {
  const endpoint = await endpointOf(mesh)
  await mesh.laptop.shell(`kubectl --context east delete pod ${endpoint} --wait=false`)
  await until('the wire to lead to the other pod', async () => (await endpointOf(mesh)) !== endpoint)
}

async function drainNode(mesh: TwoClusters): Promise<void> {
  const kubectl = 'kubectl --context east'
  await mesh.laptop.shell(`${kubectl} rollout status deployment/files --timeout=60s`) // two again
  const endpoint = await endpointOf(mesh)
  const node = await mesh.laptop.shell(`${kubectl} get pod ${endpoint} -o 'jsonpath={.spec.nodeName}'`)
  await mesh.laptop.shell(`${kubectl} drain ${node} --ignore-daemonsets --delete-emptydir-data --timeout=60s`)
  await until('the wire to lead to the other pod', async () => (await endpointOf(mesh)) !== endpoint)
  await mesh.laptop.shell(`${kubectl} uncordon ${node}`)
}

async function endpointOf({ laptop }: TwoClusters): Promise<string | undefined> {
  const byNode: Record<string, readonly { readonly path: readonly string[] }[]> = JSON.parse(
    await laptop.shell('kubectl nsm get wires -o json'),
  )
  return Object.values(byNode).flatMap((wires) => wires.map(({ path }) => path.at(-1)?.split('.')[0]))[0]
}
