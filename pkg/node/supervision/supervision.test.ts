import { describe, expect, it } from 'vitest'
import { type MonitorClient, trustDomainOf } from '../../api/index.ts'
import { silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import type { DataplaneEvent } from '../../dataplane/index.ts'
import { TestPolicies } from '../../policy/testing/index.ts'
import { connectionTable, testRecord } from '../testing/index.ts'
import { endIncomplete } from './end-incomplete.ts'
import { checkTrusted } from './end-untrusted.ts'
import { superviseConnections } from './supervise-connections.ts'

/** A node whose trust and dataplane the test plays. */
function supervised(table = connectionTable(testRecord('c1')), isStarting: (network: string) => boolean = () => false) {
  const ended: string[] = []
  const trusted = {
    domains: ['west', 'east'],
    exports: new Map<string, Set<string>>(),
    exportConditions: new Map(),
    revoked: '',
  }
  const onTrust: (() => void)[] = []
  const onEvent: ((event: DataplaneEvent) => void)[] = []
  const onEndpoint: ((name: string, isThere: boolean) => void)[] = []
  const policy = new TestPolicies()
  const clock = new FakeClock()
  const monitor: MonitorClient = {
    monitor: (_, { signal }) =>
      new ReadableStream({
        start: (controller) => signal.addEventListener('abort', () => controller.error(signal.reason)),
      }),
  }
  const supervision = superviseConnections({
    domain: 'west',
    table,
    dataplane: {
      subscribe: (listener) => subscribe(onEvent, listener),
      ports: async () => new Map(),
      linkQuality: async () => [],
    },
    wires: { intent: () => undefined },
    trust: {
      bundles: () => new Map(trusted.domains.map((domain) => [domain, []])),
      exports: () => trusted.exports,
      exportConditions: () => trusted.exportConditions,
      isRevoked: (spiffeId) => spiffeId === trusted.revoked,
      subscribe: (listener) => subscribe(onTrust, listener),
    },
    policy,
    local: () => undefined,
    endpoints: { subscribe: (listener) => subscribe(onEndpoint, listener) },
    nextHops: { monitor: () => monitor },
    isStarting,
    end: async (id, reason) => void ended.push(`${id}: ${reason}`),
    clock,
    logger: silentLogger,
  })
  const tell = () => {
    for (const listener of onTrust) listener()
  }
  return {
    table,
    trusted,
    tell,
    policy,
    ended,
    clock,
    supervision,
    endpoint: (name: string, isThere: boolean) => onEndpoint[0]?.(name, isThere),
    event: (event: DataplaneEvent) => {
      for (const listener of onEvent) listener(event)
    },
  }
}

function subscribe<T>(listeners: T[], listener: T): () => void {
  listeners.push(listener)
  return () => void listeners.splice(listeners.indexOf(listener), 1)
}

describe('superviseConnections', () => {
  it('takes the wires of an endpoint down that has unregistered, whatever their sessions say', async () => {
    const target = { at: 'endpoint', endpoint: 'nse', url: 'unix:///run/nse.sock', owner: 'spiffe://west/x' } as const
    const { table, event, endpoint, supervision } = supervised(connectionTable(testRecord('c1', { target })))
    const state = () => table.get('c1')?.connection.state
    endpoint('nse', false)
    event({ at: 'session-up', port: 'c1:c' })
    expect(state()).toBe('DOWN')
    table.save(testRecord('c1', { target }))
    event({ at: 'session-up', port: 'c1:c' })
    expect(state()).toBe('UP')
    endpoint('nse', false)
    endpoint('nse', true)
    expect(state()).toBe('UP')
    await supervision.close()
  })

  it('ends the connections of a pod in which nobody is left', async () => {
    const client = testRecord('c1', { ownerNamespace: 'inode://4/7' })
    const endpoint = testRecord('c2', { serverNamespace: 'inode://4/7' })
    const node = supervised(connectionTable(client, endpoint, testRecord('c3')))
    node.event({ at: 'namespace-empty', namespace: 'inode://4/7' })
    expect(node.ended).toEqual(['c1: the pod of its client is gone', 'c2: the pod of its endpoint is gone'])
    await node.supervision.close()
  })

  it('leaves the connections of a pod whose first process is still to come', async () => {
    const client = testRecord('c1', { ownerNamespace: 'inode://4/7' })
    const node = supervised(connectionTable(client), (network) => network === 'inode://4/7')
    node.event({ at: 'namespace-empty', namespace: 'inode://4/7' })
    expect(node.ended).toEqual([])
    await node.supervision.close()
  })

  it.each<[string, (node: ReturnType<typeof supervised>) => void, string]>([
    [
      'of a revoked domain',
      ({ trusted }) => trusted.domains.splice(1),
      'the domain of spiffe://east/node/e1 is not trusted',
    ],
    [
      'of an expelled node',
      ({ trusted }) => (trusted.revoked = 'spiffe://east/node/e1'),
      'spiffe://east/node/e1 was expelled',
    ],
  ])('ends the connection %s', async (_what, change, reason) => {
    const node = supervised()
    expect(node.ended).toEqual([])
    change(node)
    node.tell()
    expect(node.ended).toEqual([`c1: ${reason}`])
    await node.supervision.close()
  })

  it('ends the connection to a service that is no longer exported to its client', async () => {
    const record = testRecord('c1', { owner: 'spiffe://east/node/e1', identities: ['spiffe://east/node/e1'] })
    const connection = { ...record.connection, networkService: 'files' }
    const node = supervised(connectionTable({ ...record, connection }))
    expect(trustDomainOf(record.owner)).toBe('east')
    expect(node.ended).toEqual(['c1: files is no longer exported to east'])
    node.ended.length = 0
    node.trusted.exports.set('east', new Set(['files']))
    node.tell()
    expect(node.ended).toEqual([])
    await node.supervision.close()
  })

  it('ends the connection that a changed policy denies, to its client or to its endpoint', async () => {
    const target = {
      at: 'endpoint',
      endpoint: 'nse',
      url: 'unix:///run/nse.sock',
      owner: 'spiffe://west/node/w1/uid/7',
    } as const
    const node = supervised(connectionTable(testRecord('c1'), testRecord('c2', { target })))
    node.policy.change("rules: [{name: not-uid-7, effect: deny, actions: [serve], when: client.uid == '7'}]")
    expect(node.ended).toEqual(['c2: the policy denies to serve it: not-uid-7: the rule denies it'])
    node.ended.length = 0
    node.policy.change('defaults: {request: deny}')
    expect(node.ended).toEqual(
      ['c1', 'c2'].map(
        (id) => `${id}: the policy denies to request it: no rule allows it, and the policy's default denies it`,
      ),
    )
    node.policy.change('rules: []')
    await node.supervision.close()
  })

  it('lets no connection begin that the policy denies', () => {
    const policy = new TestPolicies()
    const trust = {
      bundles: () =>
        new Map([
          ['west', []],
          ['east', []],
        ]),
      exports: () => new Map(),
      exportConditions: () => new Map(),
      isRevoked: () => false,
    }
    const check = checkTrusted({ domain: 'west', trust, policy, local: () => undefined })
    expect(() => check(testRecord('c1'))).not.toThrow()
    policy.change('defaults: {request: deny}')
    expect(() => check(testRecord('c1'))).toThrow('Cannot establish the wire')
  })

  it('ends nothing before the authority has said whom to trust', async () => {
    const node = supervised()
    node.trusted.domains = []
    node.tell()
    expect(node.ended).toEqual([])
    await node.supervision.close()
    expect(node.clock.pending).toBe(0)
  })
})

describe('endIncomplete', () => {
  it('removes wires without a record, and ends connections without a wire', async () => {
    const removed: string[] = []
    const ended: string[] = []
    const wires = {
      intents: () => [{ id: 'c1' }, { id: 'crashed' }],
      intent: (id: string) => (id === 'c2' ? undefined : { id }),
      remove: async (id: string) => void removed.push(id),
    }
    const table = connectionTable(testRecord('c1'), testRecord('c2'))
    const end = async (id: string) => void ended.push(id)
    await endIncomplete({ table, wires, end }, new AbortController().signal)
    expect([removed, ended]).toEqual([['crashed'], ['c2']])
  })
})
