/** A node's NetworkService with everything around it in memory, for the tests of this folder. */
import {
  type Attestation,
  type Call,
  type Connection,
  type ConnectionRequest,
  emptyContext,
  type Mechanism,
  type NetworkService,
  type NetworkServiceEndpoint,
  type Payload,
  type Peer,
} from '../../api/index.ts'
import { attestationOf } from '../../api/testing/index.ts'
import { NsmError, silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { type ConnectionRecord, ConnectionTable, type RecordStore, type Target } from '../../connections/index.ts'
import { type AeadName, generateKey, type WireIntent, type WireKey } from '../../mechanism/index.ts'
import { parseIp } from '../../net/index.ts'
import { type ExportConditions, type Exports, type PolicySource, withoutPolicy } from '../../policy/index.ts'
import { arrive, leave } from '../../steps/index.ts'
import { type Hop, type LocalEndpoint, NodeNetworkService, type Self } from '../index.ts'

export const CLIENT_NAMESPACE = 'inode://4/101'
export const ENDPOINT_NAMESPACE = 'inode://4/202'
export const HOST_NAMESPACE = 'inode://4/1'
export const TOKEN_MS = 600_000

export class MemoryRecords implements RecordStore {
  readonly records = new Map<string, ConnectionRecord>()
  load = () => [...this.records.values()]
  put(record: ConnectionRecord): void {
    this.records.set(record.id, JSON.parse(JSON.stringify(record)))
  }
  delete(id: string): void {
    this.records.delete(id)
  }
}

/** An endpoint that gives addresses, and does as it is told. */
export class TestEndpoint {
  readonly live = new Map<string, Connection>()
  readonly asked: ConnectionRequest[] = []
  refusal: NsmError | undefined
  mechanism: Mechanism = { cls: 'LOCAL', type: 'KERNEL', parameters: { name: 'nse-1' } }
  srcRoute = '172.16.1.100/32'
  readonly #name: string

  constructor(name = 'nse') {
    this.#name = name
  }

  hop(): Hop {
    return {
      client: { request: (request) => this.#request(request), close: (each) => this.#close(each) },
      spiffeId: 'spiffe://west/node/n1/uid/0',
      namespace: ENDPOINT_NAMESPACE,
    }
  }

  async #request(request: ConnectionRequest): Promise<Connection> {
    this.asked.push(request)
    if (this.refusal !== undefined) throw this.refusal
    const arrived = arrive(request.connection, { name: this.#name, newId: () => `${this.#name}-${this.asked.length}` })
    const ip = {
      ...arrived.context.ip,
      srcIpAddrs: ['172.16.1.101/32'],
      dstIpAddrs: ['172.16.1.100/32'],
      srcRoutes: [{ prefix: this.srcRoute, nextHop: '' }],
      dstRoutes: [{ prefix: '172.16.1.101/32', nextHop: '' }],
    }
    const answer = { ...arrived, mechanism: this.mechanism, context: { ...arrived.context, ip } }
    this.live.set(request.connection.id, answer)
    return leave(answer, request.connection)
  }

  async #close({ id }: Connection): Promise<void> {
    this.live.delete(id)
  }
}

export interface TestNodeOptions {
  readonly name?: string
  readonly domain?: string
  readonly clock?: FakeClock
  readonly records?: MemoryRecords
  readonly exports?: Exports
  readonly exportConditions?: ExportConditions
  readonly policy?: PolicySource
  readonly excludedPrefixes?: readonly string[]
  readonly vxlanPort?: number
  readonly maxWires?: number
  /** Best first. */
  readonly aeads?: readonly AeadName[]
  readonly payload?: Payload
  readonly nodeKey?: WireKey
  /** Whom a target leads to. */
  readonly connect: (target: Target) => Hop
}

export class TestNode {
  readonly clock: FakeClock
  readonly records: MemoryRecords
  readonly table: ConnectionTable
  readonly intents = new Map<string, WireIntent>()
  readonly established: WireIntent[] = []
  readonly services = new Map<string, NetworkService>()
  readonly endpoints = new Map<string, NetworkServiceEndpoint>()
  readonly locals = new Map<string, LocalEndpoint>()
  readonly self: Self
  readonly service: NodeNetworkService
  readonly #payload: Payload
  forwardingRefusal: NsmError | undefined
  isRegistryAway = false

  constructor({ name = 'n1', domain = 'west', connect, ...given }: TestNodeOptions) {
    this.#payload = given.payload ?? 'IP'
    this.clock = given.clock ?? new FakeClock()
    this.records = given.records ?? new MemoryRecords()
    this.table = new ConnectionTable(this.records, this.clock)
    const ports = { wireguard: 51820, ...(given.vxlanPort === undefined ? {} : { vxlan: given.vxlanPort }) }
    const tunnel = {
      ip: '192.0.2.1',
      listenIp: '192.0.2.1',
      ports,
      mtuBytes: 1500,
      nodeKey: given.nodeKey ?? generateKey(),
    }
    const publicUrl = `tcp://${name === 'n1' ? '192.0.2.1' : '192.0.2.2'}:5001`
    const aeads = () => given.aeads ?? (['aes256gcm', 'chacha20poly1305'] as const)
    const kept = [{ ip: parseIp(tunnel.ip), what: 'the address of the node' }]
    this.self = { name, domain, publicUrl, kept, hostNamespace: HOST_NAMESPACE, tunnel: { ...tunnel, aeads } }
    this.service = new NodeNetworkService({
      self: this.self,
      table: this.table,
      maxWires: given.maxWires ?? 1_000,
      clock: this.clock,
      logger: silentLogger,
      exports: () => given.exports ?? new Map(),
      exportConditions: () => given.exportConditions ?? new Map(),
      policy: given.policy ?? withoutPolicy,
      excludedPrefixes: () => given.excludedPrefixes ?? [],
      tokens: {
        issue: async (audience) => ({ jwt: `${name} to ${audience}`, expiresMs: this.clock.nowMs() + TOKEN_MS }),
        verify: async (_path, call) => ({
          identities: [call.peer.spiffeId],
          asker: call.peer.spiffeId,
          expiresMs: call.token?.expiresMs ?? 0,
        }),
      },
      directory: {
        service: async (service) => this.#find(this.services, service),
        endpoint: async (endpoint) => this.#find(this.endpoints, endpoint),
        matching: async ({ service }) =>
          [...this.endpoints.values()].filter((each) => each.networkServiceNames.includes(service)),
      },
      local: (endpoint) => this.locals.get(endpoint),
      nextHops: { connect: async (target) => connect(target) },
      forwarding: {
        establish: async (intent) => {
          if (this.forwardingRefusal !== undefined) throw this.forwardingRefusal
          this.established.push(intent)
          this.intents.set(intent.id, intent)
        },
        remove: async (id) => void this.intents.delete(id),
      },
    })
  }

  serve(service: string, endpoint: string, url = this.self.publicUrl): void {
    this.services.set(service, { name: service, payload: this.#payload, matches: [], pathIds: [] })
    this.endpoints.set(endpoint, {
      name: endpoint,
      networkServiceNames: [service],
      networkServiceLabels: new Map(),
      url,
      expiresMs: undefined,
      registeredMs: undefined,
      pathIds: [],
    })
    if (url !== this.self.publicUrl) return
    const owner = `spiffe://${this.self.domain}/node/${this.self.name}/uid/0`
    this.locals.set(endpoint, { url: `unix:///run/${endpoint}.sock`, owner, networkServiceNames: [service] })
  }

  /** A hop that leads to this node, as another node reaches it over the network. */
  hop(caller: string): Hop {
    const call = () => this.call({ spiffeId: caller, attestation: undefined })
    return {
      client: {
        request: (request) => this.service.request(request, call()),
        close: (connection) => this.service.close(connection, call()),
      },
      spiffeId: `spiffe://${this.self.domain}/node/${this.self.name}`,
      namespace: undefined,
    }
  }

  call(peer: Partial<Peer> = {}): Call {
    const { spiffeId = `spiffe://${this.self.domain}/node/${this.self.name}/uid/1000`, isConnected } = peer
    const attestation = 'attestation' in peer ? peer.attestation : attestedIn(CLIENT_NAMESPACE)
    const token = { jwt: `token of ${spiffeId}`, expiresMs: this.clock.nowMs() + TOKEN_MS }
    return {
      peer: { spiffeId, chain: [], attestation, ...(isConnected && { isConnected }) },
      token,
      signal: new AbortController().signal,
    }
  }

  #find<T>(known: ReadonlyMap<string, T>, name: string): T {
    if (this.isRegistryAway) throw new NsmError('unavailable', 'Cannot reach the registry')
    const found = known.get(name)
    if (found === undefined) throw new NsmError('not_found', 'Cannot find it in the registry', { fields: { name } })
    return found
  }
}

export function attestedIn(namespace: string): Attestation {
  return attestationOf({ namespace })
}

export function kernel(parameters: Record<string, string> = {}): Mechanism {
  return { cls: 'LOCAL', type: 'KERNEL', parameters }
}

export function firstRequest(networkService: string, mechanism = kernel({ name: 'nsm-1' })): ConnectionRequest {
  const id = 'client-0'
  const segments = [{ name: 'client', id, token: '', expiresMs: undefined, metrics: {} }]
  const connection: Connection = {
    id,
    networkService,
    mechanism: undefined,
    context: emptyContext,
    labels: {},
    path: { index: 0, segments },
    endpointName: '',
    payload: '',
    state: 'UP',
  }
  return { connection, mechanismPreferences: [mechanism] }
}

export function refreshOf(connection: Connection): ConnectionRequest {
  return { connection, mechanismPreferences: [] }
}
