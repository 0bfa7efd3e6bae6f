import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { errorCode, systemClock } from '../../pkg/base/index.ts'
import { parseNsmUrl } from '../../pkg/client/index.ts'
import { firstRequest } from '../../pkg/client/requests.ts'
import { staticSource } from '../../pkg/identity/index.ts'
import { Channel, networkServiceClient } from '../../pkg/rpc/index.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'
import { RogueNode, soon } from './rogue-node.ts'

/** Nodes of east are expelled, one in each test; west, which trusts east, must hear of it and act. */
const sandbox = new Sandbox()
let east: SandboxDomain
let west: SandboxDomain
let near: SandboxNode
let far: SandboxNode

beforeAll(async () => {
  east = await sandbox.domain('east')
  west = await sandbox.domain('west')
  near = await west.node('w1')
  far = await east.node('e1')
  await west.joinTo(east)
  await far.endpoint({ service: 'db', name: 'nse-db', cidr: '172.16.1.0/24' })
  await near.endpoint({ service: 'web', name: 'nse-web', cidr: '172.16.2.0/24' })
  await east.export('db')
  await west.export('web')
}, 30_000)
afterEach(() => until('no wire to be left', () => near.engine.ports.size === 0, 10_000))
afterAll(() => sandbox.close())

const isRevokedIn = async (domain: SandboxDomain, node: string) => (await domain.trustState()).revoked.includes(node)

/** What the honest node of west answers to somebody with the key of another node. */
async function answerTo(stolen: RogueNode, domain: SandboxDomain): Promise<string> {
  const { authorities } = await west.trustState()
  const identity = staticSource({ svid: stolen.svid, bundles: new Map([['west', authorities]]) })
  const channel = new Channel(near.url, { security: { identity }, clock: systemClock })
  const url = parseNsmUrl(domain === west ? 'kernel://none/nsm-1' : 'kernel://web/nsm-1')
  const request = firstRequest({ client: 'rogue', id: 'rogue', url, labels: {} })
  try {
    return await networkServiceClient(channel)
      .request(request, soon())
      .then(() => 'answered', errorCode)
  } finally {
    channel.close()
    stolen.close()
  }
}

it('an expelled node with its key is no longer answered in another domain', async () => {
  const stolen = await RogueNode.join(east, 'e2')
  expect(await answerTo(stolen, east)).not.toBe('unauthenticated')
  await east.revokeNode('e2')
  await until('west to know', () => isRevokedIn(west, 'spiffe://east/node/e2'), 10_000)
  await until('its node to know', async () => (await answerTo(stolen, east)) === 'unauthenticated', 10_000)
})

it('a node is expelled also when what a node is told is too long for one message', async () => {
  const stolen = await RogueNode.join(west, 'w2')
  const exports = Array.from({ length: 900 }, (_, index) => `${index}-`.padEnd(250, 'x'))
  await west.changeRecords(async (records) => {
    await records.change('domain', 'east', (known) => known && { ...known, exports })
    const toAll = ['web', ...exports.map((service) => `${service}y`)]
    await records.change('self', 'self', (known) => known && { ...known, exports: toAll })
  })
  expect(await answerTo(stolen, west)).not.toBe('unauthenticated')
  await west.revokeNode('w2')
  await until('the other node to know', async () => (await answerTo(stolen, west)) === 'unauthenticated', 10_000)
}, 30_000)

it('the wires to an expelled node end in the other domain, and none begins', async () => {
  const other = await east.node('e3')
  await other.endpoint({ service: 'cache', name: 'nse-cache', cidr: '172.16.3.0/24' })
  await east.export('cache')
  const client = await near.workload()
  await client.request('kernel://cache@east/nsm-1')
  expect(near.engine.crossConnects.size).toBe(1)
  await east.revokeNode('e3')
  await until('the wire to end', () => near.engine.crossConnects.size === 0, 10_000)
  await expect(client.request('kernel://cache@east/nsm-1')).rejects.toThrow()
})

it('a request under way when trust ends does not come to stand', async () => {
  const answer = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const pause = async () => {
    asked.resolve()
    await answer.promise
  }
  await far.endpoint({ service: 'slow', name: 'nse-slow', cidr: '172.16.4.0/24', pause })
  await east.export('slow')
  const client = await near.workload()
  const known = await client.request('kernel://db@east/nsm-1')
  const outcome = client.request('kernel://slow@east/nsm-2').then(() => 'stands', errorCode)
  await asked.promise
  await east.unexport('slow')
  await east.unexport('db')
  await until('the far node to know', () => far.engine.crossConnects.size === 0, 10_000)
  answer.resolve()
  expect(await outcome).not.toBe('stands')
  await client.closeWire(known)
  await until('nothing to be left', () => near.engine.ports.size + far.engine.ports.size === 0, 10_000)
})
