/** Clients of one SPIFFE ID, and paths that say how they go on: each client has its own connections and no others. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Connection } from '../../pkg/api/index.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'
import type { SandboxEndpoint, Workload } from '../sandbox/workload.ts'

const FILES = 'kernel://files/nsm-1'
const MAIL = 'kernel://mail@east/nsm-1'

const sandbox = new Sandbox()
let west: SandboxDomain
let east: SandboxDomain
let near: SandboxNode
let files: SandboxEndpoint
let mail: SandboxEndpoint

beforeAll(async () => {
  west = await sandbox.domain('west')
  east = await sandbox.domain('east')
  near = await west.node('n1')
  const far = await east.node('n1')
  await west.joinTo(east)
  files = await near.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  mail = await far.endpoint({ service: 'mail', name: 'nse-mail', cidr: '172.16.2.0/24' })
  await east.export('mail')
})
afterAll(() => sandbox.close())

const idsOf = ({ path }: Connection) => path.segments.slice(1).map(({ id }) => id)
const addressOf = ({ context }: Connection) => context.ip.srcIpAddrs.join()

describe.each([FILES, MAIL])('two pods of one user, under one name, with a wire to %s', (url) => {
  let victim: Workload
  let namesake: Workload
  let wire: Connection

  beforeAll(async () => {
    victim = await near.workload()
    namesake = await near.workload()
    wire = await victim.request(url)
  })

  test('have two wires, though the second sends the path of the first', async () => {
    const { path } = wire
    const other = await namesake.request(url, { path })
    expect(idsOf(other).some((id) => idsOf(wire).includes(id))).toBe(false)
    expect(addressOf(other)).not.toBe(addressOf(wire))
    expect(near.links(victim.namespace)).toEqual(['nsm-1'])
    expect(idsOf(await victim.refresh(wire))).toEqual(idsOf(wire))
    await namesake.closeWire(other)
  })

  test('do not close each other’s', async () => {
    await namesake.closeWire(wire)
    expect(near.links(victim.namespace)).toEqual(['nsm-1'])
    expect(addressOf(await victim.refresh(wire))).toBe(addressOf(wire))
  })

  test('see only their own', async () => {
    const client = await namesake.seen()
    expect(client).toEqual([])
    expect(await victim.seen()).toHaveLength(1)
    await victim.closeWire(wire)
  })
})

test('a client that names the connection of another behind its own node gets one of its own', async () => {
  const victim = await near.workload(1000)
  const thief = await near.workload(1001)
  const wire = await victim.request(MAIL)
  const own = await thief.request(MAIL)
  const stolen = [...own.path.segments.slice(0, 2), ...wire.path.segments.slice(2)]
  const again = await thief.refresh({ ...own, path: { index: 0, segments: stolen } })
  expect(idsOf(again)).toEqual(idsOf(own))
  const fresh = await near.workload(1002)
  const first = { name: 'client', id: 'fresh', token: '', expiresMs: undefined, metrics: {} }
  const node = { ...first, name: 'n1', id: 'made-up' }
  const path = { index: 0, segments: [first, node, ...wire.path.segments.slice(2)] }
  const third = await fresh.request(MAIL, { id: 'fresh', path })
  expect(
    idsOf(third)
      .slice(1)
      .some((id) => idsOf(wire).includes(id)),
  ).toBe(false)
  expect(new Set([wire, again, third].map(addressOf)).size).toBe(3)
  expect(addressOf(await victim.refresh(wire))).toBe(addressOf(wire))
  for (const [client, each] of [
    [victim, wire],
    [thief, again],
    [fresh, third],
  ] as const)
    await client.closeWire(each)
})

test.each([
  ['on the same node', FILES, () => files],
  ['in another domain', MAIL, () => mail],
])(
  '128 refreshes whose path was cut leave one lease %s',
  async (_, url, endpoint) => {
    const client = await near.workload()
    let wire = await client.request(url)
    for (let round = 0; round < 128; round += 1) {
      const kept = round % 2 === 0 ? 1 : 2
      wire = await client.refresh({ ...wire, path: { index: 0, segments: wire.path.segments.slice(0, kept) } })
    }
    expect(endpoint().server.connections).toBe(1)
    await client.closeWire(wire)
    expect(endpoint().server.connections).toBe(0)
  },
  30_000,
)
