import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../pkg/base/index.ts'
import { Channel, endpointRegistryClient, networkServiceClient, serviceRegistryClient } from '../../pkg/rpc/index.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'
import type { SandboxEndpoint, Workload } from '../sandbox/workload.ts'
import { attacks } from './attacks.ts'
import { endpointOf, RogueNode, serviceOf, soon } from './rogue-node.ts'

/** West has an honest node with an endpoint of db, and a node whose key is stolen. */
const sandbox = new Sandbox()
let west: SandboxDomain
let honest: SandboxNode
let stolen: RogueNode
let db: SandboxEndpoint
let workload: Workload

beforeAll(async () => {
  west = await sandbox.domain('west')
  honest = await west.node('n1')
  stolen = await RogueNode.join(west, 'n2')
  db = await honest.endpoint({ service: 'db', name: 'nse-db', cidr: '172.16.1.0/24' })
  workload = await honest.workload()
})
afterAll(async () => {
  stolen.close()
  await sandbox.close()
})

const world = () => west.registered()

/** Calls as the workload, over a connection of its own to `url`. */
async function asWorkload<T>(url: string, call: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = new Channel(url, { security: { identity: workload.identity }, clock: systemClock })
  try {
    return await call(channel)
  } finally {
    channel.close()
  }
}

const straight = <T>(call: (channel: Channel) => Promise<T>) => asWorkload(west.registryUrl, call)

attacks('a workload at the registry itself', () => [
  {
    name: 'registers an endpoint with an address of its choice',
    run: () => straight((channel) => endpointRegistryClient(channel).register(endpointOf({}), soon())),
    denied: { code: 'permission_denied', text: /not a node/ },
    world,
  },
  {
    name: 'registers an endpoint that makes nodes call a socket of theirs',
    run: () =>
      straight((channel) => endpointRegistryClient(channel).register(endpointOf({ url: 'unix:///x' }), soon())),
    denied: 'permission_denied',
    world,
  },
  {
    name: 'registers a network service',
    run: () => straight((channel) => serviceRegistryClient(channel).register(serviceOf({}), soon())),
    denied: { code: 'permission_denied', text: /not a node/ },
    world,
  },
  {
    name: 'unregisters an endpoint',
    run: () =>
      straight((channel) => endpointRegistryClient(channel).unregister(endpointOf({ name: 'nse-db' }), soon())),
    denied: 'permission_denied',
    world,
  },
])

attacks('a stolen node registers', () => [
  ...[
    ['a socket', 'unix:///run/nsmesh/nsm.sock'],
    ['the credentials of a cloud machine', 'tcp://169.254.169.254:80'],
    ['a host name', 'tcp://localhost:5001'],
    ['a number that is an address to a resolver', 'tcp://2130706433:5001'],
    ['a link-local address', 'tcp://[fe80::1]:5001'],
    ['every address', 'tcp://0.0.0.0:5001'],
    ['no port', 'tcp://192.0.2.66'],
    ['another scheme', 'http://192.0.2.66:80'],
    ['nothing', ''],
  ].map(([name = '', url = '']) => ({
    name: `${name} as its address`,
    run: () => stolen.register({ url }),
    denied: 'invalid_argument' as const,
    world,
  })),
  {
    name: 'the address of another node',
    run: () => stolen.register({ url: honest.url }),
    denied: { code: 'already_exists', text: /n1/ },
    world,
  },
  {
    name: 'the IPv6 address of another node in another spelling',
    run: async () => {
      const [other, rogue] = [await RogueNode.join(west, 'n5'), await RogueNode.join(west, 'n6')]
      try {
        await other.register({ name: 'by-ipv6', url: 'tcp://[2001:db8::66]:5001' })
        return await rogue.register({ url: 'tcp://[2001:DB8:0:0::66]:5001' })
      } finally {
        other.close()
        rogue.close()
      }
    },
    denied: { code: 'already_exists', text: /n5/ },
    world: async () => (await world()).filter(({ name }) => name !== 'by-ipv6'),
  },
  {
    name: 'a second address',
    run: async () => {
      await stolen.register({ name: 'its-own', url: 'tcp://192.0.2.66:5001' })
      return stolen.register({ url: 'tcp://192.0.2.67:5001' })
    },
    denied: { code: 'permission_denied', text: /not the address of the node/ },
    world: async () => (await world()).filter(({ name }) => name !== 'its-own'),
  },
  {
    name: 'an endpoint of a service that another user made',
    run: () => stolen.register({ networkServiceNames: ['db'], url: 'tcp://192.0.2.66:5001' }),
    denied: { code: 'permission_denied', text: /belongs to another user or namespace/ },
    world,
  },
])

attacks('a workload of another user', () => [
  {
    name: 'serves the service of somebody else at its own node',
    run: () =>
      asWorkload(workload.channel.url, (channel) =>
        endpointRegistryClient(channel).register(
          endpointOf({ networkServiceNames: ['db'], url: 'unix:///tmp/rogue.sock' }),
          soon(),
        ),
      ),
    denied: { code: 'permission_denied', text: /belongs to another user or namespace/ },
    world,
  },
  {
    name: 'calls an endpoint at its own socket, past the node',
    run: async () => {
      const wire = await workload.request('kernel://db/nsm-1')
      const past = { connection: { ...wire, id: 'past', path: { index: 0, segments: [] } }, mechanismPreferences: [] }
      try {
        return await asWorkload(db.url, (channel) => networkServiceClient(channel).request(past, soon()))
      } finally {
        await workload.closeWire(wire)
      }
    },
    denied: { code: 'permission_denied', text: /Cannot call the endpoint/ },
    world: async () => db.server.connections,
  },
])

it('the same user serves a service on another node', async () => {
  const other = await west.node('n3')
  await other.endpoint({ service: 'db', name: 'nse-db-2', cidr: '172.16.2.0/24' })
  const names = (await west.registered()).map(({ name }) => name)
  expect(names).toContain('nse-db-2')
})

it('a node that comes back with another address registers with it', async () => {
  const moved = await west.node('n4')
  await moved.stop()
  await moved.start({ NSM_LISTEN_ON: 'tcp://127.0.0.1:0', NSM_PUBLIC_URL: 'tcp://127.0.0.1:1' })
  await moved.endpoint({ service: 'moved', name: 'nse-moved', cidr: '172.16.3.0/24' })
  expect(await west.registered()).toContainEqual(
    expect.objectContaining({ name: 'nse-moved', url: 'tcp://127.0.0.1:1' }),
  )
})
