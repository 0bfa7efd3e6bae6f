/** A node of another domain that received a path, and presents its tokens to others as if the client had asked them. */
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Connection, emptyContext, type PathSegment } from '../../pkg/api/index.ts'
import { systemClock } from '../../pkg/base/index.ts'
import { type IdentitySource, identityFile, staticSource, TokenMinter } from '../../pkg/identity/index.ts'
import { Channel, networkServiceClient } from '../../pkg/rpc/index.ts'
import { Sandbox, type SandboxNode } from '../sandbox/sandbox.ts'
import type { SandboxEndpoint } from '../sandbox/workload.ts'
import { attacks } from './attacks.ts'

const sandbox = new Sandbox()
let near: SandboxNode
let rogue: SandboxNode
let victim: SandboxNode
let served: readonly SandboxEndpoint[]
let attacker: IdentitySource
let channel: Channel
/** As the rogue node has received it: the segments of the client, of its node, of the rogue, and of the endpoint. */
let received: readonly PathSegment[]

beforeAll(async () => {
  const west = await sandbox.domain('west')
  const east = await sandbox.domain('east')
  near = await west.node('n1')
  rogue = await east.node('n1')
  victim = await east.node('n2')
  await west.joinTo(east)
  const files = await rogue.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  served = [
    await victim.endpoint({ service: 'files', name: 'nse-files-2', cidr: '172.16.2.0/24' }),
    await victim.endpoint({ service: 'mail', name: 'nse-mail', cidr: '172.16.3.0/24' }),
  ]
  await east.export('files')
  const client = await near.workload()
  await client.request('kernel://files@east/nsm-1', { endpointName: 'nse-files@east' })
  received = files.server.served()[0]?.path.segments ?? []
  attacker = await identityOf(rogue)
  channel = new Channel(victim.url, { security: { identity: attacker }, clock: systemClock })
})
afterAll(async () => {
  channel.close()
  await sandbox.close()
})

async function identityOf({ directory }: SandboxNode): Promise<IdentitySource> {
  const identity = await identityFile(`${directory}/state/identity`).load()
  if (identity === undefined) throw new Error('the node has no identity')
  return staticSource(identity)
}

/** The first segments of what the rogue received, each with a change. */
function path(...changes: readonly Partial<PathSegment>[]): readonly PathSegment[] {
  return received.slice(0, changes.length).map((segment, at) => ({ ...segment, ...changes[at] }))
}

/** The rogue's request to the other node of its domain, behind `before`. */
async function ask(before: readonly PathSegment[], networkService: string): Promise<Connection> {
  const own = { name: 'n1', id: randomUUID(), token: '', expiresMs: undefined, metrics: {} }
  const parameters = {
    src_public_key: randomBytes(32).toString('base64'),
    src_ip: '127.0.0.1',
    src_port: '51820',
  }
  const connection = {
    id: own.id,
    networkService,
    mechanism: undefined,
    context: emptyContext,
    labels: {},
    path: { index: before.length, segments: [...before, own] },
    endpointName: '',
    payload: 'IP',
    state: 'UP' as const,
  }
  const preferences = [{ cls: 'REMOTE', type: 'WIREGUARD', parameters }]
  const call = { signal: AbortSignal.timeout(10_000) }
  return networkServiceClient(channel).request({ connection, mechanismPreferences: preferences }, call)
}

const world = async () => ({
  wires: [...victim.engine.ports.keys()],
  leases: served.map(({ server }) => server.connections),
})
const denied = { code: 'unauthenticated', text: /Cannot accept the path token/ } as const

attacks('a path that another domain has received does not count', () => [
  {
    name: 'for another connection of its client',
    run: () => ask(path({ id: 'another' }, {}), 'files'),
    denied,
    world,
  },
  { name: 'for another connection of its node', run: () => ask(path({}, { id: 'another' }), 'files'), denied, world },
  { name: 'for another service', run: () => ask(path({}, {}), 'mail'), denied, world },
  {
    name: 'for another service, behind the node alone',
    run: () => ask(path({}, {}).slice(1), 'mail'),
    denied,
    world,
  },
  {
    name: 'for a request of the endpoint, which has only answered',
    run: () => ask(received.slice(3, 4), 'files'),
    denied,
    world,
  },
  {
    name: 'with what the node sends when it reads or watches',
    async run() {
      const [node, audience] = [(await identityOf(near)).current().svid, attacker.current().svid.spiffeId]
      const { jwt } = new TokenMinter(systemClock).token(node, audience)
      return ask(path({}, { token: jwt }), 'files')
    },
    denied,
    world,
  },
])

test('the same path counts for the connection and the service of its client', async () => {
  const wire = await ask(path({}, {}), 'files')
  expect(wire.endpointName).toBe('nse-files-2')
  await networkServiceClient(channel).close(wire, { signal: AbortSignal.timeout(10_000) })
})
