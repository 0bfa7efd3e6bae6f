import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain } from '../sandbox/sandbox.ts'
import { attacks } from './attacks.ts'
import { publicCertificate, RogueDomain } from './rogue-domain.ts'

/** East trusts west. Mallory's domain has been invited to east, and its operator is an attacker. */
const sandbox = new Sandbox()
let east: SandboxDomain
let west: SandboxDomain
let mallory: RogueDomain
let westCertificate: Buffer
/** Unlike the others, its registry is known by an address of the internet. */
let north: SandboxDomain

beforeAll(async () => {
  east = await sandbox.domain('east')
  west = await sandbox.domain('west')
  north = await sandbox.domain('north', { NSM_ADVERTISE: '203.0.113.7:5002' })
  mallory = await RogueDomain.create('mallory')
  const token = await west.inviteDomain('east')
  westCertificate = await publicCertificate(west, token)
  await east.joinWith(token)
})
afterAll(() => sandbox.close())

/** Whom east trusts, by which certificates, and where it calls them. */
async function trusted() {
  const { domains } = await east.trustState()
  const addresses = (await east.joined()).map(({ name, addresses }) => [name, addresses])
  return { addresses, authorities: domains.map(({ trustDomain, authorities }) => [trustDomain, authorities]) }
}

const forWest = (change = {}) => mallory.introduction({ trustDomain: 'west', ...change })
const mine = () => Buffer.from(mallory.certificate)
const world = trusted

attacks('an invited domain', () => [
  {
    name: 'becomes one that has joined by showing its public certificate beside its own',
    run: async () => {
      const asWest = await RogueDomain.create('west')
      const introduction = forWest({ authorities: [Buffer.from(asWest.certificate), westCertificate] })
      return asWest.join(east, await east.inviteDomain('mallory'), { introduction, svid: await asWest.svid() })
    },
    denied: 'permission_denied',
    world,
  },
  {
    name: 'redirects one that has joined to an address of its own with its public certificate',
    run: async () => {
      const introduction = forWest({ authorities: [westCertificate], addresses: ['203.0.113.66:5002'] })
      return mallory.join(east, await east.inviteDomain('mallory'), { introduction, svid: await mallory.svid() })
    },
    denied: 'permission_denied',
    world,
  },
  {
    name: 'joins again for one that has joined, with an invitation for that and an authority of its own',
    run: async () => {
      const asWest = await RogueDomain.create('west')
      const introduction = forWest({ authorities: [Buffer.from(asWest.certificate), westCertificate] })
      return mallory.join(east, await east.inviteDomain('west'), { introduction, svid: await asWest.svid() })
    },
    denied: 'already_exists',
    world,
  },
  {
    name: 'joins again for one that has joined without showing any key',
    run: async () => {
      const introduction = forWest({ authorities: [westCertificate], addresses: ['203.0.113.66:5002'] })
      return mallory.join(east, await east.inviteDomain('west'), { introduction })
    },
    denied: 'permission_denied',
    world,
  },
  {
    name: 'takes a name that the invitation does not give it',
    run: async () => {
      const other = await RogueDomain.create('bank')
      return other.join(east, await east.inviteDomain('mallory'), { svid: await other.svid() })
    },
    denied: { code: 'permission_denied', text: /nsmctl domain invite bank|for another domain/ },
    world,
  },
  {
    name: 'introduces an authority whose key it does not show',
    run: async () => mallory.join(east, await east.inviteDomain('mallory'), {}),
    denied: 'permission_denied',
    world,
  },
  {
    name: 'introduces an authority with the SVID of a node instead of the registry',
    run: async () =>
      mallory.join(east, await east.inviteDomain('mallory'), { svid: await mallory.svid('node/registry') }),
    denied: 'permission_denied',
    world,
  },
  {
    name: 'introduces the authority of another domain beside its own, under its own name',
    run: async () => {
      const introduction = mallory.introduction({ authorities: [mine(), westCertificate] })
      return mallory.join(east, await east.inviteDomain('mallory'), { introduction, svid: await mallory.svid() })
    },
    denied: 'invalid_argument',
    world,
  },
  {
    name: 'introduces a revision after which no other one would count',
    run: async () => {
      const introduction = mallory.introduction({ revision: 2n ** 53n - 1n })
      return mallory.join(east, await east.inviteDomain('mallory'), { introduction, svid: await mallory.svid() })
    },
    denied: 'invalid_argument',
    world,
  },
  {
    name: 'introduces itself as the domain that invited it',
    run: async () => mallory.join(east, await east.inviteDomain('mallory'), { introduction: forEast() }),
    denied: 'invalid_argument',
    world,
  },
])

const forEast = () => mallory.introduction({ trustDomain: 'east' })

attacks('an invited domain gives as its own address', () =>
  [
    ['loopback', '127.0.0.1:5002'],
    ['loopback, as one number', '2130706433:5002'],
    ['loopback, in hexadecimal', '0x7f.1:5002'],
    ['loopback, mapped into IPv6', '[::ffff:127.0.0.1]:5002'],
    ['loopback, behind a translator', '[64:ff9b::7f00:1]:5002'],
    ['any address', '0.0.0.0:5002'],
    ["a cloud machine's credentials", '169.254.169.254:80'],
    ['a link-local address', '[fe80::1]:5002'],
    ['the address of who invited it', '203.0.113.7:5002'],
    ['a socket', 'unix:///run/nsmesh/registry/admin.sock'],
    ['a URL', 'http://192.0.2.1:80'],
    ['two lines', '192.0.2.1:80\n192.0.2.2:80'],
  ].map(([name = '', address = '']) => ({
    name,
    run: async () => {
      const introduction = mallory.introduction({ addresses: ['192.0.2.66:5002', address] })
      return mallory.join(north, await north.inviteDomain('mallory'), { introduction, svid: await mallory.svid() })
    },
    denied: { code: 'invalid_argument', text: /addresses/ } as const,
    world: () => north.joined(),
  })),
)

it('an invitation that was refused to others is still good for the domain that it names', async () => {
  const token = await east.inviteDomain('mallory')
  await expect(mallory.join(east, token, {})).rejects.toMatchObject({ code: 'permission_denied' })
  await mallory.join(east, token, { svid: await mallory.svid() })
  expect((await east.joined()).map(({ name }) => name)).toEqual(['mallory', 'west'])
  await east.revoke('mallory')
})

it('a domain that has joined joins again, and keeps what it is exported', async () => {
  await east.export('files', 'west')
  await west.joinTo(east)
  expect(await east.joined()).toMatchObject([{ name: 'west', exportedServices: ['files'] }])
  await until('both links to be well', async () =>
    [...(await east.joined()), ...(await west.joined())].every(({ problem }) => problem === ''),
  )
  expect((await east.trustState()).domains[0]?.authorities).toEqual([westCertificate])
})
