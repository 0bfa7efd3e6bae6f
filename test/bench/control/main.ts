/** Measures the control plane on this machine, client, nodes, registries and endpoint included. */
import { parseArgs } from 'node:util'
import { Lab } from '../../lab/lab.ts'
import { detail, step } from '../../lab/progress.ts'
import { measureAdoption } from './adoption.ts'
import { CONTROL_EFFORTS } from './effort.ts'
import { measureRegistry } from './registry.ts'
import { controlLines, controlReport } from './report.ts'
import { growTo, heapKib, idlePercent, measureRequests, type Spread, startClients } from './wires.ts'
import { buildWorld, type World } from './world.ts'

const flag = { type: 'boolean', default: false } as const
const several = { type: 'string', multiple: true } as const
const { values: wanted } = parseArgs({
  options: { quick: flag, smoke: flag, json: flag, part: several },
  allowPositionals: true,
})
const effort = CONTROL_EFFORTS[wanted.smoke ? 'smoke' : wanted.quick ? 'quick' : 'whole']
const isWanted = (part: string) => wanted.part === undefined || wanted.part.includes(part)
let closeLab = async () => {}
const results = new Map<string, number>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => giveUp(`ended by ${signal}`))
setTimeout(() => giveUp(`not done in ${effort.limitMinutes} minutes`), effort.limitMinutes * 60_000).unref()

if (isWanted('registry')) {
  step('a registry with many endpoints')
  await measureRegistry(effort, note)
}
for (const spread of ['packed', 'spread'] as const) if (isWanted(spread)) await inLab((world) => measure(world, spread))
console.log(wanted.json ? controlLines(results) : controlReport(results))
process.exit(0)

/** Each in a lab of its own: nothing stands in it. */
async function inLab(work: (world: World) => Promise<void>): Promise<void> {
  const lab = await Lab.create()
  closeLab = () => lab.close()
  try {
    await work(await buildWorld(lab))
  } finally {
    await lab.close()
  }
}

async function measure(world: World, spread: Spread): Promise<void> {
  step(`wires, ${spread}`)
  const clients = await startClients(world, spread)
  const client = clients.at(-1)
  if (client === undefined) throw new Error('there is no client')
  await measureRequests(client, effort, [`_0_${spread}`, note])
  note(`idle_cpu_percent_0_${spread}`, await idlePercent(world.west, effort.idleSeconds))
  const emptyKib = await heapKib(world.west)
  const counts = [...new Set([...effort.standing, ...(spread === 'packed' ? effort.adopted : [])])]
  for (const count of counts.sort((a, b) => a - b)) {
    note(`opened_per_s_to_${count}_${spread}`, await growTo(clients, count))
    if (effort.standing.some((each) => each === count)) {
      await measureRequests(client, effort, [`_${count}_${spread}`, note])
      note(`idle_cpu_percent_${count}_${spread}`, await idlePercent(world.west, effort.idleSeconds))
      note(`nsmd_heap_kib_a_wire_${count}_${spread}`, ((await heapKib(world.west)) - emptyKib) / count)
    }
    if (spread === 'packed' && effort.adopted.some((each) => each === count)) {
      await measureAdoption(world, [client, count], note)
    }
  }
}

function note(name: string, value: number): void {
  results.set(name, value)
  detail(`${name} ${value.toPrecision(3)}`)
}

async function giveUp(why: string): Promise<void> {
  console.error(`hack/bench: ${why}`)
  await closeLab()
  process.exit(1)
}
