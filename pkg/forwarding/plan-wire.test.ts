import { describe, expect, test } from 'vitest'
import type { PolicyRoute } from '../api/index.ts'
import { FakeEngine, fakeDataplane } from '../dataplane/testing/index.ts'
import type { KernelEnd, WireIntent } from '../mechanism/index.ts'
import type { LinkSpec } from '../platform/index.ts'
import { FakeKernel, fakePlatform } from '../platform/testing/index.ts'
import { wireKinds } from './kinds/index.ts'
import { planWire } from './plan-wire.ts'
import { CLIENT_NS, localWire, remoteWire, SERVER_NS, vxlanWire, wireguardEnd } from './testing/fake-node.ts'

const kinds = wireKinds(fakePlatform(new FakeKernel()), fakeDataplane(new FakeEngine()))
const plan = (intent: WireIntent) => planWire(kinds, intent, { client: [1, 2], server: [3] })
const specs = (intent: WireIntent, kind: string) =>
  plan(intent).flatMap((desired) => (desired.kind.name === kind ? [desired.spec] : []))

/** `kind key` of everything. */
const objects = (intent: WireIntent) => plan(intent).map(({ kind, spec }) => `${kind.name} ${kind.key(spec)}`)

const wire = localWire('w1')
const client = wire.client as KernelEnd
const withClient = (changes: Partial<KernelEnd>) => ({ ...wire, client: { ...client, ...changes } })

function withPolicy(from: string, dstPort: string): WireIntent {
  return withClient({ policies: [{ from, proto: dstPort === '' ? '' : 'tcp', dstPort, srcPort: '', routes: [] }] })
}

describe('planWire', () => {
  test('joins two local ends by a veth pair with routes to each other', () => {
    expect(objects(wire)).toEqual([
      `pin w1:c ${CLIENT_NS}`,
      'link c-w1 nsm:w1 veth',
      'address 10.0.1.1/32 c-w1',
      'address fd00::a00:101/128 c-w1',
      'route 10.0.1.2/32 link c-w1 254',
      'route fd00::a00:102/128 link c-w1 254',
      `pin w1:s ${SERVER_NS}`,
      'link s-w1 nsm:w1 veth',
      'address 10.0.1.2/32 s-w1',
      'address fd00::a00:102/128 s-w1',
      'route 10.0.1.1/32 link s-w1 254',
      'route fd00::a00:101/128 link s-w1 254',
    ])
  })

  test.each<[string, WireIntent, readonly (readonly [ipv4: boolean | undefined, ipv6: boolean | undefined])[]]>([
    [
      'packets',
      wire,
      [
        [true, true],
        [true, true],
      ],
    ],
    [
      'frames',
      { ...wire, payload: 'ETHERNET' },
      [
        [false, false],
        [false, false],
      ],
    ],
    [
      'packets, with an IPv6 policy',
      withPolicy('fd00::1', ''),
      [
        [true, true],
        [true, true],
      ],
    ],
    [
      'packets, with an IPv4 policy by port',
      withPolicy('10.0.1.1', '80'),
      [
        [true, true],
        [true, true],
      ],
    ],
    [
      'packets, with an IPv6 policy by port',
      withPolicy('fd00::1', '80'),
      [
        [true, false],
        [true, true],
      ],
    ],
    ['packets between nodes', remoteWire('w1'), [[undefined, undefined]]],
  ])('has the kernel check the sources of %s', (_, intent, expected) => {
    const links = specs(intent, 'link') as readonly LinkSpec[]
    expect(links.map(({ checksSources, checksIpv6Sources }) => [checksSources, checksIpv6Sources])).toEqual(expected)
  })

  test('joins a local client to another node by a TUN device and a tunnel', () => {
    expect(objects(remoteWire('w1'))).toEqual([
      'port w1:c',
      `pin w1:c ${CLIENT_NS}`,
      'link c-w1 nsm:w1 device',
      'address 10.0.1.1/32 c-w1',
      'route 10.0.1.2/32 link c-w1 254',
      'route 0.0.0.0/0 link c-w1 1',
      'route 11.0.1.0/24 10.0.1.2 c-w1 254',
      'rule 10.0.1.1/32 tcp 80  1',
      'port w1:s',
      'cross-connect w1',
    ])
    expect(specs(remoteWire('w1'), 'cross-connect')).toEqual([{ id: 'w1', ports: ['w1:c', 'w1:s'] }])
  })

  test('lets each end of a tunnel carry only its own inner addresses', () => {
    const towardsServer = remoteWire('w1')
    const towardsClient = {
      ...towardsServer,
      client: wireguardEnd('w1', 'client'),
      server: { ...client, role: 'server' },
    } as const
    const [, there] = specs(towardsServer, 'port')
    const [back] = specs(towardsClient, 'port')
    const { clientPrefixes, serverPrefixes } = towardsServer
    expect(there).toMatchObject({ id: 'w1:s', localPrefixes: clientPrefixes, remotePrefixes: serverPrefixes })
    expect(back).toMatchObject({ id: 'w1:c', localPrefixes: serverPrefixes, remotePrefixes: clientPrefixes })
  })

  test('passes a wire on between two nodes', () => {
    const transit = { ...remoteWire('w1'), client: wireguardEnd('w2', 'client') }
    expect(objects(transit)).toEqual(['port w1:c', 'port w1:s', 'cross-connect w1'])
  })

  test('gives VXLAN an Ethernet device, whatever the payload', () => {
    for (const payload of ['IP', 'ETHERNET'] as const) {
      expect(specs(vxlanWire('w1', { payload }), 'port')).toMatchObject([
        { id: 'w1:c', kind: 'vxlan', vni: 3 },
        { id: 'w1:s', kind: 'tap', interfaceName: 's-w1' },
      ])
    }
  })

  test('holds frames inside WireGuard to no addresses', () => {
    expect(specs(remoteWire('w1', { payload: 'ETHERNET' }), 'port')).toMatchObject([
      { id: 'w1:c', kind: 'tap', interfaceName: 'c-w1' },
      { id: 'w1:s', kind: 'wireguard', payload: 'ETHERNET', localPrefixes: [], remotePrefixes: [] },
    ])
  })

  test('gives an end that was stored before a term existed a port without it', () => {
    const { probeMessages: _, ...stored } = wireguardEnd('w1')
    const wire = { ...remoteWire('w1'), server: stored as typeof stored & { probeMessages: boolean } }
    expect(specs(wire, 'port')).toMatchObject([{ id: 'w1:c' }, { id: 'w1:s', probeMessages: false }])
  })

  test('does not route to a peer that is in the own prefix', () => {
    expect(
      objects(withClient({ addresses: ['10.0.1.1/24', 'fd00::1/8'] })).filter((o) => o.includes('c-w1 254')),
    ).toEqual([])
  })

  test('spells everything as the kernel lists it, once', () => {
    const routes = [
      { prefix: '10.0.1.2/32', via: undefined },
      { prefix: '192.0.2.77/24', via: undefined },
      { prefix: 'FD00:0::/64', via: 'FD00::0001' },
    ]
    expect(objects(withClient({ routes })).filter((object) => /^route .* c-w1/.test(object))).toEqual([
      'route 10.0.1.2/32 link c-w1 254',
      'route fd00::a00:102/128 link c-w1 254',
      'route 192.0.2.0/24 link c-w1 254',
      'route fd00::/64 fd00::1 c-w1 254',
    ])
  })

  test.each<[string, Partial<PolicyRoute>, readonly string[]]>([
    ['everything by the interface', {}, ['route 0.0.0.0/0 link c-w1 1', 'rule 10.0.1.1/32    1']],
    ['an IPv6 source', { from: 'fd00::1' }, ['route ::/0 link c-w1 1', 'rule fd00::1/128    1']],
    ['no source', { from: '' }, ['route 0.0.0.0/0 link c-w1 1', 'rule 0.0.0.0/0    1']],
    [
      'ports and routes of its own',
      { proto: '6', dstPort: '80-81', srcPort: '7', routes: [{ prefix: '198.51.100.0/24', nextHop: '10.0.1.2' }] },
      ['route 198.51.100.0/24 10.0.1.2 c-w1 1', 'rule 10.0.1.1/32 tcp 80-81 7 1'],
    ],
  ])('gives a policy with %s a table of its own', (_, changes, expected) => {
    const policy = { from: '10.0.1.1/32', proto: '', dstPort: '', srcPort: '', routes: [], ...changes }
    expect(objects(withClient({ policies: [policy] })).filter((object) => object.endsWith(' 1'))).toEqual(expected)
  })

  test.each<[string, Partial<KernelEnd>]>([
    ['address', { addresses: ['10.0.0.1'] }],
    ['route', { routes: [{ prefix: 'everywhere', via: undefined }] }],
    ['gateway of another family', { routes: [{ prefix: '10.0.0.0/8', via: 'fd00::1' }] }],
    ['port', { policies: [{ from: '', proto: 'tcp', dstPort: '0', srcPort: '', routes: [] }] }],
  ])('refuses a bad %s before anything is made', (_, changes) => {
    expect(() => plan(withClient(changes))).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  })
})
