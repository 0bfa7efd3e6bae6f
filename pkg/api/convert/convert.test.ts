import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as api from '../index.ts'

const { Connection } = api.connectionProto
const { NetworkServiceEndpoint } = api.registryProto

/** As peers may send them: any printable text, and keys that are dangerous in JavaScript. */
const text = fc.string({ maxLength: 40 }).filter((value) => !/\p{Cc}/u.test(value))
const key = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString'))
const labels = fc.array(fc.tuple(key, text), { maxLength: 4 }).map((entries) => Object.fromEntries(entries))
const texts = fc.array(text, { maxLength: 3 })
const timeMs = fc.option(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), { nil: undefined })
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const route = fc.record({ prefix: text, nextHop: text })
const routes = fc.array(route, { maxLength: 2 })

const context: fc.Arbitrary<api.ConnectionContext> = fc.record({
  ip: fc.record({
    srcIpAddrs: texts,
    dstIpAddrs: texts,
    srcIpRequired: fc.boolean(),
    dstIpRequired: fc.boolean(),
    srcRoutes: routes,
    dstRoutes: routes,
    excludedPrefixes: texts,
    ipNeighbors: fc.array(fc.record({ ip: text, hardwareAddress: text }), { maxLength: 2 }),
    extraPrefixRequests: fc.array(
      fc.record({
        family: fc.constantFrom('IPV4' as const, 'IPV6' as const),
        prefixLength: uint32,
        requiredNumber: uint32,
        requestedNumber: uint32,
      }),
      { maxLength: 2 },
    ),
    extraPrefixes: texts,
    policies: fc.array(fc.record({ from: text, proto: text, dstPort: text, srcPort: text, routes }), { maxLength: 2 }),
  }),
  dnsConfigs: fc.array(fc.record({ dnsServerIps: texts, searchDomains: texts }), { maxLength: 2 }),
  ethernet: fc.option(
    fc.record({ srcMac: text, dstMac: text, vlanTag: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) }),
    {
      nil: undefined,
    },
  ),
  extra: labels,
  mtuBytes: uint32,
})

const segment = fc.record({ name: text, id: text, token: text, expiresMs: timeMs, metrics: labels })
const path: fc.Arbitrary<api.Path> = fc.array(segment, { maxLength: 5 }).chain((segments) =>
  fc.record({
    index: fc.integer({ min: 0, max: Math.max(0, segments.length - 1) }),
    segments: fc.constant(segments),
  }),
)

const connection: fc.Arbitrary<api.Connection> = fc.record({
  id: text,
  networkService: text,
  mechanism: fc.option(fc.record({ cls: text, type: text, parameters: labels }), { nil: undefined }),
  context,
  labels,
  path,
  endpointName: text,
  payload: text,
  state: fc.constantFrom('UP' as const, 'DOWN' as const, 'REFRESH_REQUESTED' as const, 'RESELECT_REQUESTED' as const),
})

const endpoint: fc.Arbitrary<api.NetworkServiceEndpoint> = fc.record({
  name: text,
  networkServiceNames: texts,
  networkServiceLabels: fc.array(fc.tuple(key, labels), { maxLength: 3 }).map((entries) => new Map(entries)),
  url: text,
  expiresMs: timeMs,
  registeredMs: timeMs,
  pathIds: texts,
})

describe('every connection', () => {
  it('survives a round trip', () => {
    fc.assert(
      fc.property(connection, (value) => {
        const bytes = Connection.encode(api.connectionToProto(value)).finish()
        expect(api.connectionFromProto(Connection.decode(bytes))).toEqual(value)
      }),
    )
  })

  it('truncated anywhere is either read or refused with an error, without side effects', () => {
    fc.assert(
      fc.property(connection, fc.nat(), (value, at) => {
        const bytes = Connection.encode(api.connectionToProto(value)).finish()
        readOrRefuse(bytes.subarray(0, at % bytes.length))
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  it('of random bytes is either read or refused with an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        readOrRefuse(bytes)
      }),
      { numRuns: 2000 },
    )
  })
})

it('every endpoint survives a round trip', () => {
  fc.assert(
    fc.property(endpoint, (value) => {
      const bytes = NetworkServiceEndpoint.encode(api.endpointToProto(value)).finish()
      expect(api.endpointFromProto(NetworkServiceEndpoint.decode(bytes))).toEqual(value)
    }),
  )
})

it('a query contains only the fields that are set', () => {
  const query = { endpoint: { networkServiceNames: ['db'] }, watch: true }
  expect(api.endpointQueryFromProto(api.endpointQueryToProto(query))).toEqual(query)
  expect(api.serviceQueryFromProto(api.serviceQueryToProto({ service: {}, watch: false }))).toEqual({
    service: {},
    watch: false,
  })
})

it('unknown fields of a newer peer are skipped', () => {
  const newer = Buffer.concat([
    Connection.encode(Connection.create({ id: 'c-1' })).finish(),
    Buffer.from('a20603616263', 'hex'),
  ])
  expect(api.connectionFromProto(Connection.decode(newer)).id).toBe('c-1')
})

describe('fromProto refuses', () => {
  const { PathSegment } = api.connectionProto
  const segment = PathSegment.create({ name: 'a', id: '1' })
  const many = new Map(Array.from({ length: 129 }, (_, index) => [`k${index}`, 'v']))

  const cases: [string, Partial<api.connectionProto.Connection>, string][] = [
    ['path.index', { path: { index: 1, pathSegments: [segment] } }, 'connection.path.index'],
    ['an index without segments', { path: { index: 1, pathSegments: [] } }, 'connection.path.index'],
    ['33 segments', { path: { index: 0, pathSegments: Array(33).fill(segment) } }, 'connection.path.path_segments'],
    ['an id of 257 characters', { id: 'x'.repeat(257) }, 'connection.id'],
    ['an id with a line break', { id: 'a\nb' }, 'connection.id'],
    ['a service with NUL', { networkService: 'a\0' }, 'connection.network_service'],
    ['129 labels', { labels: many }, 'connection.labels'],
    ['an unknown state', { state: 9 as 0 }, 'connection.state'],
    ['a far future', expires(253_402_300_800n, 0), 'connection.path.path_segments[0].expires'],
    ['a far past', expires(-62_135_596_801n, 0), 'connection.path.path_segments[0].expires'],
    ['negative nanoseconds', expires(0n, -1), 'connection.path.path_segments[0].expires'],
    ['a second of nanoseconds', expires(0n, 1_000_000_000), 'connection.path.path_segments[0].expires'],
    [
      '1025 addresses',
      { context: api.contextProto.ConnectionContext.fromPartial({ ipContext: { srcIpAddrs: Array(1025).fill('') } }) },
      'connection.context.ip_context.src_ip_addrs',
    ],
    ['a label of 4097 characters', { labels: new Map([['k', 'x'.repeat(4097)]]) }, 'connection.labels'],
  ]

  it.each(cases)('%s', (_, changes, field) => {
    expect(() => api.connectionFromProto({ ...Connection.create(), ...changes })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', fields: expect.objectContaining({ field }) }),
    )
  })

  it('a request without a connection', () => {
    expect(() => api.requestFromProto({ connection: undefined, mechanismPreferences: [] })).toThrow(
      expect.objectContaining({ fields: { field: 'connection', reason: 'missing' } }),
    )
  })

  it('text that is not UTF-8, and groups nested 200 deep', () => {
    expect(() => Connection.decode(Buffer.from('0a02c328', 'hex'))).toThrow()
    const nested = Buffer.concat([Buffer.alloc(200, 0x7b), Buffer.alloc(200, 0x7c)])
    expect(() => Connection.decode(nested)).toThrow()
  })

  function expires(seconds: bigint, nanos: number) {
    return { path: { index: 0, pathSegments: [{ ...segment, expires: { seconds, nanos } }] } }
  }
})

/** The codec may throw any error, which rpc converts to `invalid_argument`. The conversion throws only that. */
function readOrRefuse(bytes: Uint8Array): void {
  let message: api.connectionProto.Connection
  try {
    message = Connection.decode(bytes)
  } catch {
    return
  }
  try {
    api.connectionFromProto(message)
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_argument' })
  }
}
