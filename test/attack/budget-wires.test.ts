/** What one client, one registry and one far node can cost: addresses, calls, writes to the disk. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { errorCode, NsmError } from '../../pkg/base/index.ts'
import { FakeClock } from '../../pkg/base/testing/index.ts'
import { ConnectionTable } from '../../pkg/connections/index.ts'
import { testRecord } from '../../pkg/node/testing/index.ts'
import { callOf } from '../../pkg/registry/testing/index.ts'
import { limitWires } from '../../pkg/request/limit-wires.ts'
import { firstRequest, TestEndpoint, TestNode } from '../../pkg/request/testing/test-node.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'

/** As the default of 100 is to a service with a /24, which has addresses for 128 wires. */
const MOST = 12

const sandbox = new Sandbox()
let node: SandboxNode
let west: SandboxDomain

beforeAll(async () => {
  west = await sandbox.domain('west')
  const east = await sandbox.domain('east')
  node = await west.node('n1')
  const far = await east.node('n1')
  await west.joinTo(east)
  for (const each of [node, far]) {
    await each.stop()
    await each.start({ NSM_MAX_WIRES: `${MOST}` })
  }
  await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/27' })
  await far.endpoint({ service: 'mail', name: 'nse-mail', cidr: '172.16.2.0/27' })
  await east.export('mail')
})
afterAll(() => sandbox.close())

test.each(['files', 'mail@east'])(
  'more wires to %s than one workload may have leave addresses for others',
  async (service) => {
    const greedy = await node.workload(1000)
    const honest = await node.workload(1001)
    const asked = Array.from({ length: 24 }, (_, at) => greedy.request(`kernel://${service}/i${at}`))
    const outcomes = await Promise.allSettled(asked)
    const opened = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const refusals = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
    expect(opened.length).toBe(MOST)
    expect(new Set(refusals.map(errorCode))).toEqual(new Set(['resource_exhausted']))
    expect(String(refusals[0])).toMatch(/the client has as many as it may have/)
    const wire = await honest.request(`kernel://${service}/nsm-1`)
    expect(wire.context.ip.srcIpAddrs).toHaveLength(1)
    await honest.closeWire(wire)
    for (const each of opened) await greedy.closeWire(each)
    const again = await greedy.request(`kernel://${service}/nsm-1`)
    await greedy.closeWire(again)
  },
  30_000,
)

test.each([
  ['a stolen node', 'spiffe://west/node/n2', (at: number) => `spiffe://west/node/n2/uid/${at}`],
  ['another domain', 'spiffe://east/node/n1', (at: number) => `spiffe://east/node/n${at}/uid/1000`],
  [
    'a node that passes on the tokens of others',
    'spiffe://west/node/n2',
    (at: number) => `spiffe://west/node/n1/uid/${at}`,
  ],
  ['a domain that passes on ours', 'spiffe://east/node/n1', (at: number) => `spiffe://west/node/n1/uid/${at}`],
])('%s that names ever more clients has a share, whatever it calls them', async (_, caller, clientOf) => {
  const { self, table } = new TestNode({ connect: () => new TestEndpoint().hop() })
  const step = limitWires({ self, table, maxWires: MOST })
  const ask = (spiffeId: string, client: string, id: string) => {
    const call = callOf(spiffeId)
    const path = { index: 1, segments: [] }
    const connection = { ...testRecord(id).connection, path }
    const asking = { connection, call, identities: [client], asker: client, known: undefined, expiresMs: 0 }
    const request = { connection, mechanismPreferences: [] }
    return step({ ...asking, request }, async ({ accounts }) => {
      table.save(testRecord(id, { accounts }))
      return connection
    })
  }
  const asked = Array.from({ length: 500 }, (__, at) => ask(caller, clientOf(at), `c${at}`))
  const opened = (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled')
  expect(opened.length).toBeLessThanOrEqual(10 * MOST)
  // Those whom it named have theirs.
  await ask('spiffe://west/node/n1', 'spiffe://west/node/n1/uid/0', 'honest')
})

test('1,000 candidates that do not answer cost one request eight calls, and what lives comes first afterwards', async () => {
  const [dead, alive] = [new TestEndpoint(), new TestEndpoint()]
  dead.refusal = new NsmError('unavailable', 'Cannot reach the endpoint')
  const victim = new TestNode({ connect: ({ endpoint }) => (endpoint === 'nse-alive' ? alive : dead).hop() })
  for (let at = 0; at < 999; at += 1) victim.serve('files', `nse-${at}`)
  await expect(victim.service.request(firstRequest('files'), victim.call())).rejects.toMatchObject({
    code: 'unavailable',
  })
  expect(dead.asked.length).toBe(8)
  victim.serve('files', 'nse-alive')
  for (let request = 0; request < 125 && alive.asked.length === 0; request += 1) {
    await victim.service.request(firstRequest('files'), victim.call()).catch(() => {})
  }
  const callsBefore = dead.asked.length
  await victim.service.request(firstRequest('files'), victim.call())
  expect(dead.asked.length - callsBefore).toBeLessThanOrEqual(8)
})

test('a far node that toggles a wire 13,375 times in 9 s costs a write a second, and every change is heard', async () => {
  const clock = new FakeClock()
  let writes = 0
  const put = () => {
    writes += 1
  }
  const table = new ConnectionTable({ load: () => [testRecord('c1')], put, delete() {} }, clock)
  let heard = 0
  table.subscribe(() => {
    heard += 1
  })
  for (let toggle = 0; toggle < 13_375; toggle += 1) {
    table.setFault('c1', 'far end', toggle % 2 === 0 ? 'it says so' : undefined)
    if (toggle % 1_486 === 0) await clock.advance(1_000)
  }
  table.close()
  expect(writes).toBeLessThanOrEqual(11)
  expect(heard).toBe(13_375)
  expect(table.get('c1')?.connection.state).toBe('DOWN')
  expect(clock.pending).toBe(0)
})
