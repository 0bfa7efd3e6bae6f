/** Kills a part of the mesh under a steady ping and counts what was lost. */
import { type Node, nodeReady } from '../lab/cluster.ts'
import { enginePid } from '../lab/processes.ts'
import type { Service } from '../lab/service.ts'
import { until } from '../lab/until.ts'
import type { Workload } from '../lab/workload.ts'
import { ENDPOINT_IP } from './file-transfer.ts'
import type { TwoClusters } from './two-clusters.ts'

const PER_SECOND = 100
const PING_SECONDS = 4
const KILL_AFTER_MS = 1_000

export interface PingResult {
  readonly sent: number
  readonly received: number
}

export interface KillResult {
  readonly what: string
  readonly lost: number
  readonly sameInterface: boolean
  /** What nsmctl says of every node once the part is back: nothing is wrong. */
  readonly healthy: boolean
}

export async function ping(from: Workload, ip: string, count = PER_SECOND): Promise<PingResult> {
  const interval = `${1 / PER_SECOND}`
  const { stdout } = await from.host.tryRun([
    'ping',
    '-n',
    '-q',
    '-i',
    interval,
    '-c',
    `${count}`,
    '-W',
    '2',
    '-p',
    PING_PATTERN_HEX,
    ip,
  ])
  const [, sent = '0', received = '0'] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? []
  return { sent: Number(sent), received: Number(received) }
}

/** Fills the pings of the demo: to see it on the internet is to see plaintext. */
export const PING_PATTERN_HEX = '6e736d6573682d70696e672d70617474'

export async function killInTurn({ west, east, reader }: TwoClusters): Promise<readonly KillResult[]> {
  const node = west.nodes[0]
  const far = east.nodes[0]
  const survive = async (what: string, kill: () => Promise<void>): Promise<KillResult> => {
    const pinged = await underPing(reader, what, kill)
    return { ...pinged, healthy: await becomeHealthy([...west.nodes, ...east.nodes]) }
  }
  return [
    await survive('nsmd', () => killServices([node.nsmd, far.nsmd])),
    await survive('engine', () => killEngines([node.holder, far.holder])),
    await survive('registry', () => killServices([west.registry.service, east.registry.service])),
  ]
}

async function underPing(
  from: Workload,
  what: string,
  kill: () => Promise<void>,
): Promise<Omit<KillResult, 'healthy'>> {
  const before = await interfaceIndex(from)
  const pinging = ping(from, ENDPOINT_IP, PER_SECOND * PING_SECONDS)
  await new Promise((resolve) => setTimeout(resolve, KILL_AFTER_MS))
  await kill()
  const { sent, received } = await pinging
  return { what, lost: sent - received, sameInterface: before === (await interfaceIndex(from)) }
}

function becomeHealthy(nodes: readonly Node[]): Promise<boolean> {
  return Promise.all(nodes.map(nodeReady)).then(
    () => true,
    () => false,
  )
}

async function interfaceIndex(workload: Workload): Promise<string> {
  return workload.host.run(['cat', '/sys/class/net/nsm-1/ifindex']).catch(() => 'gone')
}

async function killServices(services: readonly Service[]): Promise<void> {
  const before = services.map((service) => service.restarts)
  for (const service of services) service.kill()
  await until('the supervisor', async () => services.every((service, index) => service.restarts > (before[index] ?? 0)))
}

/** The holder starts its engine again by itself. */
async function killEngines(holders: readonly Service[]): Promise<void> {
  for (const holder of holders) {
    const pid = enginePid(holder.pid)
    if (pid === undefined) throw new Error(`no engine runs below ${holder.name}`)
    process.kill(pid, 'SIGKILL')
    const isBack = () => ![undefined, pid].includes(enginePid(holder.pid))
    await until('the engine to be back', isBack)
  }
}
