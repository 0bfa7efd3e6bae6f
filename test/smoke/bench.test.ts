/** hack/bench, one short round of everything: that each figure of each system is there, and can be true. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MEASUREMENTS } from '../bench/metrics.ts'
import { readJsonLines, readVersionLines } from '../bench/report.ts'
import { SYSTEMS } from '../bench/systems.ts'
import { WIRES_FIGURES, WIRES_SYSTEM } from '../bench/wires/measure.ts'
import { ROOT } from '../lab/programs.ts'
import { run, tryRun } from '../lab/shell.ts'
import { type Checkout, installedCheckout } from './checkout.ts'

const BENCH_MS = 400_000
/** As a person has it: Go wants a home. */
const { env } = process
const systems = SYSTEMS.map(({ name }) => name)

describe('hack/bench --smoke --json', () => {
  let output = ''
  beforeAll(async () => {
    output = await run([`${ROOT}/hack/bench`, 'dataplane', '--smoke', '--json'], { env, timeoutMs: BENCH_MS })
  }, BENCH_MS)

  test.each([
    ...MEASUREMENTS.flatMap(({ figures }) => figures).map(({ name }) => [name, systems] as const),
    ...WIRES_FIGURES.map(({ name }) => [name, [WIRES_SYSTEM]] as const),
  ])('has %s of every system', (name, expected) => {
    const bySystem = readJsonLines(output).get(name) ?? new Map<string, readonly number[]>()
    expect([...bySystem.keys()].sort()).toEqual([...expected].sort())
    for (const rounds of bySystem.values()) {
      expect(rounds.length).toBeGreaterThan(0)
      for (const value of rounds) expect(Number.isFinite(value) && value > 0).toBe(true)
    }
  })

  test('says which versions of the peers ran', () => {
    expect([...readVersionLines(output).keys()].sort()).toEqual(['nebula', 'wireguard-go'])
    for (const version of readVersionLines(output).values()) expect(version).toMatch(/\d+\.\d+/)
  })

  describe('is what hack/bench publish reads', () => {
    let checkout: Checkout
    beforeAll(async () => {
      checkout = await installedCheckout()
    })
    afterAll(() => checkout?.remove())

    test('and writes into docs/performance.md and its picture', async () => {
      const { root } = checkout
      await run([`${root}/hack/bench`, 'publish'], { env, input: output })
      const page = readFileSync(`${root}/docs/performance.md`, 'utf8')
      for (const system of systems) expect(page).toMatch(new RegExp(`^\\| ${system} \\| [\\d.]+`, 'm'))
      for (const version of readVersionLines(output).values()) expect(page).toContain(version)
      expect(readFileSync(`${root}/docs/speed.svg`, 'utf8')).toMatch(/^<svg[\s\S]*<\/svg>\n$/)
    })
  })
})

test.each([
  [['--metric', 'speed'], 'there is no metric speed'],
  [['--system', 'none'], 'there is no system none'],
  [['disk'], "unknown argument 'disk'"],
])(
  'hack/bench %j is refused',
  async (args, why) => {
    const outcome = await tryRun([`${ROOT}/hack/bench`, ...args], { env })
    expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(why) })
  },
  60_000,
)
