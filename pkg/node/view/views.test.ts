import { describe, expect, it } from 'vitest'
import { type Connection, emptyContext } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import type { ConnectionRecord } from '../../connections/index.ts'
import type { KernelEnd, WireIntent } from '../../mechanism/index.ts'
import { wireguardEnd as makeWireguardEnd } from '../../mechanism/testing/index.ts'
import { conditionsOf, type NodeFacts } from './conditions.ts'
import { wireToProto } from './view-proto.ts'
import { isNamed, viewWanted, viewWire, type WireFacts } from './wire-view.ts'

const connection: Connection = {
  id: 'c1',
  networkService: 'files@east',
  mechanism: { cls: 'LOCAL', type: 'KERNEL', parameters: {} },
  context: { ...emptyContext, mtuBytes: 1440 },
  labels: {},
  path: {
    index: 1,
    segments: ['client', 'c1', 'far'].map((id) => ({
      name: `${id}-app`,
      id,
      token: '',
      expiresMs: undefined,
      metrics: {},
    })),
  },
  endpointName: 'nse@east',
  payload: 'IP',
  state: 'UP',
}

const record: ConnectionRecord = {
  id: 'c1',
  owner: 'spiffe://west/node/n1/uid/0',
  ownerNamespace: 'inode://4/101',
  serverNamespace: undefined,
  identities: ['spiffe://west/node/n1/uid/0'],
  callerKey: '',
  connection,
  outgoing: connection,
  target: { at: 'node', endpoint: 'nse@east', url: 'tcp://192.0.2.2:5001', domain: 'east' },
  clientKey: undefined,
  serverKey: undefined,
  expiresMs: 1_500,
}

const client: KernelEnd = {
  kind: 'kernel',
  role: 'client',
  namespace: 'inode://4/7',
  interfaceName: 'nsm-1',
  addresses: [],
  routes: [],
  policies: [],
}

const intent: WireIntent = {
  id: 'c1',
  payload: 'IP',
  mtuBytes: 1440,
  client,
  server: { kind: 'vxlan', role: 'server', vni: 7, peer: { ip: '192.0.2.2', port: 4789 } },
  clientPrefixes: [],
  serverPrefixes: [],
}

const wireguardEnd = makeWireguardEnd('server', {
  privateKey: '',
  peerResponderKey: '',
  peerInitiatorKey: '',
  peer: { ip: '192.0.2.2', port: 51_820 },
  aead: 'aes256gcm',
  probeMessages: true,
})

const facts: WireFacts = {
  record,
  intent,
  status: { at: 'settled' },
  seen: 'up',
  ports: new Map(),
  linkQuality: [],
  counters: new Map([['c1:s', new Map([['rx_packets', 3n]])]]),
  ownDomain: 'west',
}

describe('viewWire', () => {
  it('shows both ends, the way, the counters and the other domain', () => {
    expect(wireToProto(viewWire(facts))).toMatchObject({
      state: 'up',
      problem: '',
      payload: 'IP',
      client: { mechanism: 'KERNEL', interface: 'nsm-1', namespace: 'inode://4/7' },
      server: { mechanism: 'VXLAN', peer: '192.0.2.2:4789' },
      path: ['client-app', 'c1-app', 'far-app'],
      expires: { seconds: 1n, nanos: 500_000_000 },
      counters: new Map([['server_rx_packets', 3n]]),
      remoteDomain: 'east',
    })
  })

  it.each<[string, Partial<WireFacts>, string, RegExp]>([
    ['is settling', { status: { at: 'settling' } }, 'settling', /^$/],
    [
      'could not be made',
      { status: { at: 'failed', error: new NsmError('already_exists', 'Cannot make the link') } },
      'down',
      /Cannot make the link/,
    ],
    ['is not there', { intent: undefined, status: undefined }, 'down', /not there/],
    [
      'is down at the far end',
      {
        record: {
          ...record,
          connection: { ...connection, state: 'DOWN' },
          faults: { 'far end': 'the far end says that it is down' },
        },
      },
      'down',
      /far end/,
    ],
    ['has carried nothing yet', { seen: 'connecting' }, 'connecting', /^$/],
    ['cannot be seen', { seen: 'unconfirmed' }, 'unconfirmed', /shows only what arrives: 3 packets so far$/],
  ])('says that a wire %s', (_what, change, state, problem) => {
    expect(viewWire({ ...facts, ...change })).toMatchObject({ state, problem: expect.stringMatching(problem) })
  })

  it('says what the probes of its link say, and no more than its faults make of it', () => {
    const peer = { ip: '192.0.2.2', port: 51_820 }
    const link = {
      peer,
      state: 'up',
      rttUs: 900,
      jitterUs: 40,
      lossPpm: 5000,
      mtuBytes: 1240,
      probes: 9n,
      lost: 1n,
    } as const
    const watched = { ...facts, intent: { ...intent, server: wireguardEnd }, linkQuality: [link] }
    const view = (each: WireFacts) => wireToProto(viewWire(each))
    expect(view(watched)).toMatchObject({
      state: 'up',
      server: { path: { state: 'up', rttUs: 900, jitterUs: 40, lossPpm: 5000, mtuBytes: 1240 } },
    })
    const faults = {
      'client session': 'the far node does not know this wire',
      link: 'no packet comes through to 192.0.2.2:51820 and back',
    }
    const down = { ...record, connection: { ...connection, state: 'DOWN' }, faults } as const
    expect(view({ ...watched, record: down, linkQuality: [{ ...link, state: 'down' }] })).toMatchObject({
      state: 'down',
      problem: 'no packet comes through to 192.0.2.2:51820 and back',
      server: { path: { state: 'down' } },
    })
    expect(
      view({ ...watched, linkQuality: [{ ...link, peer: { ip: '192.0.2.9', port: 51_820 }, state: 'down' }] }),
    ).toMatchObject({
      state: 'up',
      server: { path: undefined },
    })
  })

  it('shows a wire that is wanted and not there', () => {
    const wanted = {
      id: 'app-0',
      client: 'app',
      clientIdentity: 'spiffe://west/node/n1/uid/7',
      namespace: 'inode://4/7',
      networkService: 'files@east',
      problem: 'no endpoint serves it',
      sinceMs: 1_000,
      tries: 3,
      triedMs: 5_000,
      nextMs: 7_000,
    }
    expect(wireToProto(viewWanted(wanted))).toMatchObject({
      id: 'app-0',
      state: 'pending',
      problem: 'no endpoint serves it',
      path: ['app'],
      remoteDomain: 'east',
      expires: undefined,
      pending: { since: { seconds: 1n }, tries: 3, lastTry: { seconds: 5n }, nextTry: { seconds: 7n } },
    })
  })

  it('is found by the id of anybody on its path', () => {
    expect(['client', 'c1', 'far', 'else'].map((id) => isNamed(id, connection))).toEqual([true, true, true, false])
  })
})

describe('conditionsOf', () => {
  const healthy: NodeFacts = {
    dataplane: { version: '1', enginePid: 7, engineRestarts: 0, features: new Map() },
    registryProblem: '',
    registryDiskProblem: '',
    namesake: '',
    aheadMs: 0,
    diskProblem: '',
    faults: '',
    policyProblem: '',
    identityLeftMs: 3_600_000,
    identityLifeMs: 3_600_000,
    broken: [],
    pending: [],
  }
  const problems = (change: Partial<NodeFacts>) =>
    conditionsOf({ ...healthy, ...change }).filter(({ problem }) => problem !== '')

  it('finds nothing wrong with a healthy node', () => expect(problems({})).toEqual([]))

  it('finds nothing wrong with an identity that another agent makes short', () =>
    expect(problems({ identityLeftMs: 11_000, identityLifeMs: 20_000 })).toEqual([]))

  it.each<[string, Partial<NodeFacts>, boolean]>([
    ['dataplane', { dataplane: { error: new Error('away') } }, false],
    ['dataplane', { dataplane: { version: '1', enginePid: 0, engineRestarts: 3, features: new Map() } }, false],
    ['name', { namesake: 'tcp://192.0.2.2:5001' }, true],
    ['clock', { aheadMs: -240_000 }, true],
    ['disk', { diskProblem: 'Cannot write the state file: the disk is full' }, true],
    ['program', { faults: '1 faults of the program since its start, the last: x' }, true],
    ['sources', { dataplane: { ...healthy.dataplane, features: new Map([['ipv6_source_checks', 'off']]) } }, true],
    ['registry', { registryProblem: 'connection refused' }, true],
    ['policy', { policyProblem: 'policy.yaml:1:1: is empty' }, true],
    ['identity', { identityLeftMs: 600_000 }, true],
    ['identity', { identityLeftMs: -1 }, false],
    ['identity', { identityLeftMs: 4_000, identityLifeMs: 20_000 }, true],
    ['wires', { broken: ['c1', 'c2'] }, true],
    ['wires', { pending: ['app-0'] }, true],
  ])('names what is wrong with the %s, and what to do next', (name, change, warningOnly) => {
    const [problem, ...others] = problems(change)
    expect(others).toEqual([])
    expect(problem).toMatchObject({ name, warningOnly, next: expect.stringMatching(/./) })
  })
})
