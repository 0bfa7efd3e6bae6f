/** Measures how long a client is without its service when a part of the mesh dies, with a second endpoint standing by. */
import { parseArgs } from 'node:util'
import { Lab } from '../../lab/lab.ts'
import { detail, step } from '../../lab/progress.ts'
import { quantile } from '../quantile.ts'
import { machine } from '../report.ts'
import { type PingGap, pingFor } from './ping-gap.ts'
import { ROWS, type Row, steady } from './rows.ts'
import { buildWorld, type World } from './world.ts'

const RUNS = { whole: 20, quick: 5, smoke: 1 } as const
/** Before the part dies, and after. */
const BEFORE_MS = 500
const AFTER_MS = 4_500
const REST_MS = 500

const flag = { type: 'boolean', default: false } as const
const several = { type: 'string', multiple: true } as const
const number = { type: 'string' } as const
const { values: wanted } = parseArgs({
  options: { quick: flag, smoke: flag, json: flag, row: several, seconds: number },
  allowPositionals: true,
})
const runs = RUNS[wanted.smoke ? 'smoke' : wanted.quick ? 'quick' : 'whole']
const afterMs = wanted.seconds === undefined ? AFTER_MS : Number(wanted.seconds) * 1_000
const rows = ROWS.filter(({ name }) => wanted.row === undefined || wanted.row.includes(name))
if (rows.length === 0) {
  console.error(`hack/bench: there is no such row; there are ${ROWS.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const lab = await Lab.create()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, async () => {
    await lab.close()
    process.exit(1)
  })
}
const lines: string[] = []
try {
  step('a domain of three nodes, another of one')
  const world = await buildWorld(lab)
  for (const row of rows) lines.push(lineOf(row, await measure(world, row)))
} finally {
  await lab.close()
}
if (!wanted.json) console.log(`${header()}\n${lines.join('\n')}\n\n${machine()}`)
else console.log(lines.join('\n'))
process.exit(0)

async function measure(world: World, row: Row): Promise<readonly PingGap[]> {
  step(`${row.name}: ${runs} runs`)
  const found: PingGap[] = []
  for (let run = 0; run < runs; run++) {
    const serving = await steady(world)
    await row.prepare?.(world, serving)
    await pause(REST_MS)
    const pinging = pingFor(world.client.host, row.ip, BEFORE_MS + afterMs)
    await pause(BEFORE_MS)
    await row.break(world, serving)
    const gap = await pinging
    detail(`${Math.round(gap.blackoutMs)} ms, ${gap.lost} lost`)
    found.push(gap)
    await row.mend(world, serving)
  }
  return found
}

function header(): string {
  return `${'what dies'.padEnd(30)} ${['p50', 'p95', 'max', 'goal', 'lost'].map((word) => word.padStart(7)).join(' ')}`
}

function lineOf({ name, goalMs }: Row, gaps: readonly PingGap[]): string {
  const blackouts = gaps.map(({ blackoutMs }) => blackoutMs)
  const [p50, p95, max] = [quantile(blackouts, 0.5), quantile(blackouts, 0.95), Math.max(...blackouts)]
  const lost = gaps.reduce((sum, gap) => sum + gap.lost, 0)
  if (wanted.json) {
    return JSON.stringify({ row: name, runs: gaps.length, p50Ms: p50, p95Ms: p95, maxMs: max, goalMs, lost })
  }
  const figures = [p50, p95, max].map((ms) => `${Math.round(ms)}`.padStart(7)).join(' ')
  return `${name.padEnd(30)} ${figures} ${`${goalMs}`.padStart(7)} ${`${lost}`.padStart(7)}`
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
