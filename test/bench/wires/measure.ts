/** What many wires cost: memory, time to set them up, handshakes, a CPU while idle, and the speed of an active one. */

import { residentKib } from '../../lab/processes.ts'
import { processCpuSeconds } from '../cpu.ts'
import { type SteeredDataplane, soon } from '../dataplane.ts'
import type { Effort } from '../effort.ts'
import { type Figure, MOST_CPU_PERCENT } from '../figures.ts'
import { tcp } from '../metrics/tcp.ts'
import { serveMeasurements } from '../metrics.ts'
import type { Pair, Path } from '../system.ts'
import { WireFarm } from './farm.ts'

const COUNTS = [1, 1_000, 10_000]
/** As the daemons of nsmesh set it for their wires. */
const KEEPALIVE_SECONDS = 10
const MTU_BYTES = 1420

/** The system whose wires are counted in thousands. */
export const WIRES_SYSTEM = 'nsmesh-aes'

type WiresEffort = Pick<Effort, 'bulkSeconds' | 'idleSeconds' | 'rounds' | 'keepsAlive'>

export const WIRES_FIGURES: readonly Figure[] = [
  ...COUNTS.flatMap((count) => [
    { name: `wires_memory_kib_${count}`, unit: 'KiB a wire' },
    { name: `wires_setup_s_${count}`, unit: 's' },
  ]),
  { name: 'handshakes_per_s', unit: '1/s' },
  { name: 'wires_idle_cpu_percent', unit: '% of a core', most: MOST_CPU_PERCENT },
  { name: 'wires_keepalive_cpu_percent', unit: '% of a core', most: MOST_CPU_PERCENT },
  { name: 'wires_active_ratio', unit: 'of an only wire' },
]

export type Found = (figure: string, value: number) => void

export async function measureWires(pair: Pair, effort: WiresEffort, found: Found): Promise<void> {
  const alone = await WireFarm.create({ name: 'one', udpPort: 51_997, second: 126 }, pair)
  await alone.grow(1)
  const many = await WireFarm.create({ name: 'many', udpPort: 51_998, second: 128 }, pair)
  await growAndMeasure(many, found)
  for (let round = 0; round < effort.rounds; round++) found('wires_idle_cpu_percent', await idlePercent(many, effort))
  await compareActive(pair, { alone, many }, { ...effort, found })
  if (!effort.keepsAlive) return
  await many.keepAlive(KEEPALIVE_SECONDS)
  await new Promise((resolve) => setTimeout(resolve, KEEPALIVE_SECONDS * 1_000)) // until the first are due
  for (let round = 0; round < effort.rounds; round++)
    found('wires_keepalive_cpu_percent', await idlePercent(many, effort))
}

/** Set-up time counts from none; memory is what holder and engine grew, divided by the wires; sessions are up. */
async function growAndMeasure(farm: WireFarm, found: Found): Promise<void> {
  const { holder } = farm.near
  const emptyKib = await memoryKib(holder)
  let setupSeconds = 0
  for (const count of COUNTS) {
    const before = farm.count
    setupSeconds += await farm.grow(count)
    found(`wires_setup_s_${count}`, setupSeconds)
    const perSecond = await answeredPerSecond(farm, before)
    if (count > 1) found('handshakes_per_s', perSecond)
    found(`wires_memory_kib_${count}`, ((await memoryKib(holder)) - emptyKib) / count)
  }
}

/** Handshakes that a second of the answering engine's CPU time is enough for. */
async function answeredPerSecond(farm: WireFarm, first: number): Promise<number> {
  const pid = await enginePid(farm.far.holder)
  const before = processCpuSeconds(pid)
  await farm.handshake(first)
  return (farm.count - first) / (processCpuSeconds(pid) - before)
}

async function idlePercent({ near }: WireFarm, { idleSeconds }: WiresEffort): Promise<number> {
  const pids = [near.holder.pid, await enginePid(near.holder)]
  const spent = () => pids.reduce((sum, pid) => sum + processCpuSeconds(pid), 0)
  const [startMs, before] = [performance.now(), spent()]
  await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1_000))
  return (100 * (spent() - before)) / ((performance.now() - startMs) / 1_000)
}

/** One stream over wire 0 of each farm, in turn. */
async function compareActive(
  pair: Pair,
  { alone, many }: { readonly alone: WireFarm; readonly many: WireFarm },
  { rounds, bulkSeconds, found }: WiresEffort & { readonly found: Found },
): Promise<void> {
  const [alonePath, manyPath] = [await activate(pair, alone, 'one'), await activate(pair, many, 'many')]
  const measure = (path: Path) => tcp(path, 1, bulkSeconds)
  await measure(alonePath) // the first flow after a pause has the machine's boost for itself
  for (let round = 0; round < rounds; round++) {
    const isTurned = round % 2 === 1
    const [first, second] = isTurned ? [manyPath, alonePath] : [alonePath, manyPath]
    const [firstGbps, secondGbps] = [await measure(first), await measure(second)]
    found('wires_active_ratio', isTurned ? firstGbps / secondGbps : secondGbps / firstGbps)
  }
}

async function activate({ lab }: Pair, farm: WireFarm, name: string): Promise<Path> {
  await farm.setDevice(farm.far, 0)
  for (const [index, { host }] of [farm.near, farm.far].entries()) {
    const address = `address add ${farm.inner(index + 1)}/30 dev ${name}0`
    await host.ip(address, `link set ${name}0 mtu ${MTU_BYTES} up`)
  }
  const path = { client: farm.near.host, server: farm.far.host, address: farm.inner(2) }
  await serveMeasurements(lab, path, `wires-${name}`)
  return path
}

async function memoryKib(holder: SteeredDataplane): Promise<number> {
  return residentKib(holder.pid) + residentKib(await enginePid(holder))
}

async function enginePid({ dataplane }: SteeredDataplane): Promise<number> {
  return (await dataplane.status(soon())).enginePid
}
