/** Two domains of machines whose clocks differ, by up to 10 minutes from those of their registries. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MovingClock } from '../../pkg/base/testing/index.ts'
import type { KeptWire } from '../../pkg/client/index.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'

const MINUTE_MS = 60_000

describe.each([
  ['the client is 10 minutes behind, the endpoint 10 minutes ahead', -10, 10],
  ['the client is 10 minutes ahead, the endpoint 10 minutes behind', 10, -10],
])('where the machine of %s', { timeout: 120_000 }, (_, clientMinutes, endpointMinutes) => {
  const clock = new MovingClock()
  const sandbox = new Sandbox({ clock })
  let near: SandboxNode
  let far: SandboxNode
  let other: SandboxNode
  let east: SandboxDomain

  beforeAll(async () => {
    const west = await sandbox.domain('west')
    east = await sandbox.domain('east')
    near = await west.node('n1', {}, clientMinutes * MINUTE_MS)
    far = await west.node('n2', {}, endpointMinutes * MINUTE_MS)
    other = await east.node('n1', {}, endpointMinutes * MINUTE_MS)
    await west.joinTo(east)
    await far.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
    await other.endpoint({ service: 'mail', name: 'nse-mail', cidr: '172.16.2.0/24' })
    await near.endpoint({ service: 'here', name: 'nse-here', cidr: '172.16.3.0/24' })
    await east.export('mail')
  })
  afterAll(() => sandbox.close())

  it('wires come to stand, expire as tokens do by the clock of each machine, and stand for an hour', async () => {
    const client = await near.workload()
    const urls = ['kernel://here/nsm-1', 'kernel://files/nsm-2', 'kernel://mail@east/nsm-3']
    const wires: KeptWire[] = urls.map((url) => client.keep(url))
    for (const { path } of await Promise.all(wires.map(({ up }) => up))) {
      for (const { expiresMs = 0 } of path.segments) {
        const leftMs = expiresMs - near.clock.nowMs()
        expect([leftMs > 8 * MINUTE_MS, leftMs < 11 * MINUTE_MS]).toEqual([true, true])
      }
    }
    const { writes } = near
    await clock.pass(65 * MINUTE_MS)
    expect(wires.map(({ state }) => state.at)).toEqual(['up', 'up', 'up'])
    expect(near.writes).toEqual(writes)
  })

  it('status tells how far the clock is from the registry', async () => {
    const { conditions } = await (await near.operator()).node().status()
    const wrong = conditions.filter(({ problem }) => problem !== '')
    const where = clientMinutes > 0 ? 'ahead of' : 'behind'
    expect(wrong.map(({ problem }) => problem)).toEqual([`this machine's clock is 10 min ${where} the registry's`])
  })
})
