/**
 * Measures this dataplane beside others, on this machine, in one run: every round visits every system for every
 * figure, so that what else the machine does meets all of them. Absolute figures say little; ratios within a run do.
 */
import { type Arguments, readArguments, USAGE } from '../test/bench/arguments.ts'
import { busyCores } from '../test/bench/cpu.ts'
import { type Conditions, MEASUREMENTS, serveMeasurements } from '../test/bench/metrics.ts'
import { formatFigure, jsonLines, report } from '../test/bench/report.ts'
import type { Path } from '../test/bench/system.ts'
import { SYSTEMS } from '../test/bench/systems.ts'
import { Lab } from './lab/lab.ts'
import { detail, step } from './story/progress.ts'

const QUICK = { rounds: 3, bulkSeconds: 1, trialSeconds: 0.25 }
const WHOLE = { rounds: 5, bulkSeconds: 4, trialSeconds: 0.5 }

const figures = MEASUREMENTS.flatMap((measurement) => measurement.figures)
const { isQuick, isJson, ...wanted } = argumentsOrExit()
const systems = SYSTEMS.filter(({ name }) => wanted.systems.length === 0 || wanted.systems.includes(name))
const measurements = MEASUREMENTS.filter(
  (measurement) => wanted.metrics.length === 0 || measurement.figures.some(({ name }) => wanted.metrics.includes(name)),
)
const results = new Map(figures.map(({ name }) => [name, new Map<string, number[]>()]))
const lab = await Lab.create()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void lab.close().then(() => process.exit(1)))
try {
  const paths = await bringUp()
  const { rounds, ...seconds } = isQuick ? QUICK : WHOLE
  const conditions = { ...seconds, idleCores: await busyCores() }
  for (let round = 1; round <= rounds; round++) {
    step(`round ${round} of ${rounds}`)
    await runRound(paths, conditions)
  }
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

async function bringUp(): Promise<ReadonlyMap<string, Path>> {
  const pair = { lab, left: await lab.publicHost('left', 21), right: await lab.publicHost('right', 22) }
  const paths = new Map<string, Path>()
  for (const system of systems) {
    step(`bringing up ${system.name}`)
    const path = await system.up(pair)
    await serveMeasurements(lab, path, system.name)
    paths.set(system.name, path)
  }
  return paths
}

async function runRound(paths: ReadonlyMap<string, Path>, conditions: Conditions): Promise<void> {
  for (const { figures, measure } of measurements) {
    for (const [system, path] of paths) {
      const values = await measure(path, conditions)
      for (const [index, { name, unit }] of figures.entries()) {
        const value = values[index] ?? Number.NaN
        const bySystem = results.get(name)
        bySystem?.set(system, [...(bySystem.get(system) ?? []), value])
        detail(`${name} ${system} ${formatFigure(value)} ${unit}`)
      }
    }
  }
}
