/**
 * A mesh over which more time passes than any constant of the code names: channels idle for 10 minutes, tokens of 10
 * minutes, connections of 25, identities of an hour, tombstones and recovery, services that nobody serves.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '../../pkg/base/index.ts'
import { MovingClock } from '../../pkg/base/testing/index.ts'
import type { KeptWire } from '../../pkg/client/index.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'
import type { Workload } from './workload.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Where all that happens is that a part which is away is tried again. */
const RETRY_MS = 10_000
/** A mesh whose parts are all there is well after this much time, of which gRPC counts its own by the machine. */
const SOON_MS = 20_000

describe('time passes', { timeout: 300_000 }, () => {
  const clock = new MovingClock()
  /** What the operators of the mesh are told to look at. */
  const warnings: string[] = []
  const warn = (message: string) => void warnings.push(message)
  const logger: Logger = { ...silentLogger, warn, error: warn, with: () => logger }
  const sandbox = new Sandbox({ clock, logger })
  let west: SandboxDomain
  let near: SandboxNode
  let far: SandboxNode
  let client: Workload
  let standing: readonly KeptWire[]
  let writes: readonly string[]
  let asked = 0

  beforeAll(async () => {
    west = await sandbox.domain('west')
    const east = await sandbox.domain('east')
    near = await west.node('n1')
    far = await east.node('n1')
    await west.joinTo(east)
    await near.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
    await far.endpoint({ service: 'mail', name: 'nse-mail', cidr: '172.16.2.0/24' })
    await east.export('mail')
    client = await near.workload()
    standing = ['kernel://files/nsm-1', 'kernel://mail@east/nsm-2'].map((url) => client.keep(url))
    await Promise.all(standing.map(({ up }) => up))
    writes = near.writes
  })
  afterAll(() => sandbox.close())

  const expectUntouched = () => expect(near.writes).toEqual(writes)

  /** What is wrong with the mesh, by nsmctl and by its own wires. */
  async function problems(): Promise<readonly string[]> {
    const found: string[] = standing.map(({ state }) => state.at).filter((state) => state !== 'up')
    for (const node of [near, far]) {
      // Whoever stays connected uses up what root may have.
      const operator = await node.operator()
      const { conditions } = await operator.node().status()
      await operator.close()
      found.push(...conditions.filter(({ problem }) => problem !== '').map(({ name, problem }) => `${name} ${problem}`))
    }
    return [...found, ...(await west.joined()).map(({ problem }) => problem).filter((problem) => problem !== '')]
  }

  async function requestAnother(): Promise<void> {
    asked += 1
    const another = await near.workload()
    try {
      for (const service of ['files', 'mail@east']) {
        await another.closeWire(await another.request(`kernel://${service}/nsm-${asked}`))
      }
    } finally {
      await another.close()
    }
    writes = near.writes
  }

  async function expectWell(): Promise<void> {
    expect(await problems()).toEqual([])
    await requestAnother()
  }

  async function expectWellSoon(): Promise<void> {
    const isWell = async () => {
      if ((await problems()).length > 0) throw new Error('not yet')
      await requestAnother() // the registry may have yet to hear of an endpoint that has expired there
    }
    const attempt = () =>
      isWell().then(
        () => true,
        () => false,
      )
    await until('all to be well', attempt, SOON_MS).catch(() => {})
    await expectWell()
  }

  it.each([
    ['11 minutes', 11 * MINUTE_MS],
    ['65 minutes', 65 * MINUTE_MS],
  ])('for %s: nobody notices', async (_, ms) => {
    await clock.pass(ms)
    expectUntouched()
    expect(warnings).toEqual([])
    await expectWell()
  })

  it('with the registry away for 25 minutes: standing wires stand, and all is well soon after it is back', async () => {
    await west.stop()
    await clock.pass(25 * MINUTE_MS, RETRY_MS)
    expect(standing.map(({ state }) => state.at)).toEqual(['up', 'up'])
    await west.start()
    await expectWellSoon()
    expectUntouched()
  })

  it('with the registry away for longer than an identity lives: all is well soon after it is back', async () => {
    await west.stop()
    await clock.pass(65 * MINUTE_MS, RETRY_MS)
    await west.start()
    await expectWellSoon()
  })

  it.each([
    ['an hour and a half', 1.5 * HOUR_MS],
    ['nine days', 9 * 24 * HOUR_MS],
  ])('for %s at once, as on machines that were suspended: all is well soon', async (_, ms) => {
    await clock.leap(ms)
    await expectWellSoon()
  })
})
