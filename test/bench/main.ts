/**
 * Measures this dataplane beside others, on this machine, in one run: every round visits every system for every
 * figure, so that what else the machine does meets all of them. Absolute figures say little; ratios within a run do.
 */

import { Lab } from '../lab/lab.ts'
import { detail, step } from '../lab/progress.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import { idleCores } from './cpu.ts'
import { type Conditions, type Figure, MEASUREMENTS, serveMeasurements } from './metrics.ts'
import { formatFigure, jsonLines, report } from './report.ts'
import type { Pair, Path } from './system.ts'
import { SYSTEMS } from './systems.ts'
import { measureWires, WIRES_FIGURES } from './wires/measure.ts'

const QUICK = { rounds: 3, bulkSeconds: 0.8, trialSeconds: 0.15, precision: 1.06, idleSeconds: 1, keepsAlive: false }
const WHOLE = { rounds: 5, bulkSeconds: 4, trialSeconds: 0.5, precision: 1.03, idleSeconds: 10, keepsAlive: true }

/** The system whose wires are counted in thousands. */
const WIRES_SYSTEM = 'nsmesh-aes'

const figures = [...MEASUREMENTS.flatMap((measurement) => measurement.figures), ...WIRES_FIGURES]
const { isQuick, isJson, ...wanted } = argumentsOrExit()
const systems = SYSTEMS.filter(({ name }) => wanted.systems.length === 0 || wanted.systems.includes(name))
const isWanted = (some: readonly Figure[]) =>
  wanted.metrics.length === 0 || some.some(({ name }) => wanted.metrics.includes(name))
const measurements = MEASUREMENTS.filter((measurement) => isWanted(measurement.figures))
const results = new Map(figures.map(({ name }) => [name, new Map<string, number[]>()]))
const lab = await Lab.create()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void lab.close().then(() => process.exit(1)))
try {
  const pair = { lab, left: await lab.publicHost('left', 21), right: await lab.publicHost('right', 22) }
  const effort = isQuick ? QUICK : WHOLE
  if (measurements.length > 0) await runRounds(await bringUp(pair), effort)
  if (isWanted(WIRES_FIGURES) && systems.some(({ name }) => name === WIRES_SYSTEM)) await runWires(pair, effort)
} finally {
  await lab.close()
}
console.log(
  isJson
    ? jsonLines(results)
    : report(
        results,
        figures,
        systems.map(({ name }) => name),
      ),
)
process.exit(0)

function argumentsOrExit(): Arguments {
  const known = { metrics: figures.map(({ name }) => name), systems: SYSTEMS.map(({ name }) => name) }
  try {
    return readArguments(process.argv.slice(2), known)
  } catch (error) {
    console.error(`hack/bench: ${error instanceof Error ? error.message : error}\n${USAGE}`)
    process.exit(2)
  }
}

async function bringUp(pair: Pair): Promise<ReadonlyMap<string, Path>> {
  const paths = new Map<string, Path>()
  for (const system of systems) {
    step(`bringing up ${system.name}`)
    const path = await system.up(pair)
    await serveMeasurements(lab, path, system.name)
    paths.set(system.name, path)
  }
  return paths
}

async function runRounds(paths: ReadonlyMap<string, Path>, effort: typeof WHOLE): Promise<void> {
  const conditions = { ...effort, idleCores: await idleCores() }
  for (let round = 1; round <= effort.rounds; round++) {
    step(`round ${round} of ${effort.rounds}`)
    await runRound(paths, conditions)
  }
}

async function runRound(paths: ReadonlyMap<string, Path>, conditions: Conditions): Promise<void> {
  for (const { figures, measure } of measurements) {
    for (const [system, path] of paths) {
      const values = await measure(path, conditions)
      for (const [index, figure] of figures.entries()) note(figure, system, values[index] ?? Number.NaN)
    }
  }
}

async function runWires(pair: Pair, effort: typeof WHOLE): Promise<void> {
  step('many wires')
  const byName = new Map(WIRES_FIGURES.map((figure) => [figure.name, figure]))
  await measureWires(pair, effort, (name, value) => note(byName.get(name) ?? { name, unit: '' }, WIRES_SYSTEM, value))
}

function note({ name, unit }: Figure, system: string, value: number): void {
  const bySystem = results.get(name)
  bySystem?.set(system, [...(bySystem.get(system) ?? []), value])
  detail(`${name} ${system} ${formatFigure(value)} ${unit}`)
}
