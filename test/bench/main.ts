/**
 * Measures this dataplane beside others, on this machine, in one run: every round visits every system for every
 * figure, so that what else the machine does meets all of them. Absolute figures say little; ratios within a run do.
 */
import { Lab } from '../lab/lab.ts'
import { detail, step } from '../lab/progress.ts'
import { type Arguments, readArguments } from './arguments.ts'
import { startCpuMeter } from './cpu.ts'
import { EFFORTS } from './effort.ts'
import { type Figure, faultOf } from './figures.ts'
import { MEASUREMENTS, serveMeasurements } from './metrics.ts'
import { formatFigure, formatVersions, jsonLines, report, versionLines } from './report.ts'
import type { Pair, Path } from './system.ts'
import { SYSTEMS } from './systems.ts'
import { measureWires, WIRES_FIGURES, WIRES_SYSTEM } from './wires/measure.ts'

const figures = [...MEASUREMENTS.flatMap((measurement) => measurement.figures), ...WIRES_FIGURES]
const { isJson, ...wanted } = argumentsOrExit()
const effort = EFFORTS[wanted.effort]
const systems = SYSTEMS.filter(({ name }) => wanted.systems.length === 0 || wanted.systems.includes(name))
const versions = new Map(systems.flatMap(({ name, version }) => (version === undefined ? [] : [[name, version()]])))
const isWanted = (some: readonly Figure[]) =>
  wanted.metrics.length === 0 || some.some(({ name }) => wanted.metrics.includes(name))
const measurements = MEASUREMENTS.filter((measurement) => isWanted(measurement.figures))
const results = new Map(figures.map(({ name }) => [name, new Map<string, number[]>()]))
const faults: string[] = []
const lab = await Lab.create()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => giveUp(`ended by ${signal}`))
setTimeout(() => giveUp(`not done in ${effort.limitMinutes} minutes`), effort.limitMinutes * 60_000).unref()
try {
  const pair = { lab, left: await lab.publicHost('left', 21), right: await lab.publicHost('right', 22) }
  if (measurements.length > 0) await runRounds(await bringUp(pair))
  if (isWanted(WIRES_FIGURES) && systems.some(({ name }) => name === WIRES_SYSTEM)) await runWires(pair)
} finally {
  await lab.close()
}
const names = systems.map(({ name }) => name)
const shown = isJson
  ? [jsonLines(results), versionLines(versions)]
  : [report(results, figures, names), '', formatVersions(versions)]
console.log(shown.join('\n').trimEnd())
for (const fault of faults) console.error(`hack/bench: ${fault}`)
process.exit(faults.length === 0 ? 0 : 1)

function argumentsOrExit(): Arguments {
  const known = { metrics: figures.map(({ name }) => name), systems: SYSTEMS.map(({ name }) => name) }
  try {
    return readArguments(process.argv.slice(2), known)
  } catch (error) {
    console.error(`hack/bench: ${error instanceof Error ? error.message : error}; see hack/bench --help`)
    process.exit(2)
  }
}

async function giveUp(why: string): Promise<void> {
  console.error(`hack/bench: ${why}`)
  await lab.close()
  process.exit(1)
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

async function runRounds(paths: ReadonlyMap<string, Path>): Promise<void> {
  const conditions = { ...effort, startCpuMeter: () => startCpuMeter((pid) => lab.runs(pid)) }
  for (let round = 1; round <= effort.rounds; round++) {
    step(`round ${round} of ${effort.rounds}`)
    for (const { figures, measure } of measurements) {
      for (const [system, path] of paths) {
        const values = await valuesOf(() => measure(path, conditions), `${figures[0]?.name} of ${system}`)
        for (const [index, value] of values.entries()) note(figures[index], system, value)
      }
    }
  }
}

/** A measurement that fails is a fault of this round; the others go on. */
async function valuesOf(measure: () => Promise<readonly number[]>, what: string): Promise<readonly number[]> {
  try {
    return await measure()
  } catch (error) {
    addFault(`${what}: ${error instanceof Error ? error.message : error}`)
    return []
  }
}

async function runWires(pair: Pair): Promise<void> {
  step('many wires')
  const byName = new Map(WIRES_FIGURES.map((figure) => [figure.name, figure]))
  await measureWires(pair, effort, (name, value) => note(byName.get(name), WIRES_SYSTEM, value))
}

function note(figure: Figure | undefined, system: string, value: number): void {
  if (figure === undefined) throw new Error(`a figure of ${system} has no name`)
  const { name, unit } = figure
  const fault = faultOf(figure, value)
  if (fault !== undefined) {
    addFault(`${system}: ${fault}`)
    return
  }
  const bySystem = results.get(name)
  bySystem?.set(system, [...(bySystem.get(system) ?? []), value])
  detail(`${name} ${system} ${formatFigure(value)} ${unit}`)
}

function addFault(fault: string): void {
  faults.push(fault)
  detail(`FAULT ${fault}`)
}
