/**
 * Measures this dataplane beside others, on this machine, in one run: every round visits every system, so that what
 * else the machine does meets all of them. Absolute figures say little; ratios within a run do.
 */
import { METRICS, serveIperf } from '../test/bench/metrics.ts'
import { jsonLines, tableOf } from '../test/bench/report.ts'
import type { Path } from '../test/bench/system.ts'
import { nebula } from '../test/bench/systems/nebula.ts'
import { nsmesh } from '../test/bench/systems/nsmesh.ts'
import { kernelVxlan, veth } from '../test/bench/systems/plain.ts'
import { wireguardGo } from '../test/bench/systems/wireguard-go.ts'
import { Lab } from './lab/lab.ts'
import { detail, step } from './story/progress.ts'

const SYSTEMS = [veth, kernelVxlan, wireguardGo, nebula, nsmesh]
const QUICK = { rounds: 3, seconds: 2 }
const WHOLE = { rounds: 7, seconds: 5 }

const args = process.argv.slice(2)
const unknown = args.filter((arg) => !['dataplane', '--quick', '--json'].includes(arg))
if (unknown.length > 0) {
  console.error(`hack/bench: cannot read ${unknown.join(' ')}; use: hack/bench [dataplane] [--quick] [--json]`)
  process.exit(2)
}

const { rounds, seconds } = args.includes('--quick') ? QUICK : WHOLE
const results = new Map(METRICS.map(({ name }) => [name, new Map<string, number[]>()]))
const lab = await Lab.create()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void lab.close().then(() => process.exit(1)))
try {
  const paths = await bringUp()
  for (let round = 1; round <= rounds; round++) await runRound(round, paths)
} finally {
  await lab.close()
}
const names = SYSTEMS.map(({ name }) => name)
console.log(args.includes('--json') ? jsonLines(results) : tableOf(results, names))
process.exit(0)

async function bringUp(): Promise<ReadonlyMap<string, Path>> {
  const pair = { lab, left: await lab.publicHost('left', 21), right: await lab.publicHost('right', 22) }
  const paths = new Map<string, Path>()
  for (const system of SYSTEMS) {
    step(`bringing up ${system.name}`)
    const path = await system.up(pair)
    await serveIperf(lab, path, system.name)
    paths.set(system.name, path)
  }
  return paths
}

async function runRound(round: number, paths: ReadonlyMap<string, Path>): Promise<void> {
  step(`round ${round} of ${rounds}`)
  for (const { name, unit, measure } of METRICS) {
    for (const [system, path] of paths) {
      const value = await measure(path, seconds)
      const bySystem = results.get(name)
      bySystem?.set(system, [...(bySystem.get(system) ?? []), value])
      detail(`${name} ${system} ${value.toFixed(2)} ${unit}`)
    }
  }
}
