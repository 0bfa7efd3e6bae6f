/**
 * Messages as encoded by another implementation: protobuf of Python, with the descriptors of proto/ and the values
 * below. If both agree, so do NSM v1 peers.
 */
import { describe, expect, it } from 'vitest'
import type { Connection, ConnectionEvent, Found, NetworkService, NetworkServiceEndpoint } from '../index.ts'
import * as api from '../index.ts'

const noIp = { ...api.emptyIpContext }

const connection: Connection = {
  id: 'c-1',
  networkService: 'db',
  mechanism: { cls: 'LOCAL', type: 'KERNEL', parameters: { name: 'nsm-1' } },
  context: {
    ip: {
      ...noIp,
      srcIpAddrs: ['172.16.1.101/32'],
      srcRoutes: [{ prefix: '10.0.0.0/8', nextHop: '172.16.1.100' }],
      extraPrefixRequests: [{ family: 'IPV6', prefixLength: 64, requiredNumber: 1, requestedNumber: 2 }],
      policies: [{ from: '10.1.0.0/16', proto: 'tcp', dstPort: '80-90', srcPort: '', routes: [] }],
    },
    dnsConfigs: [{ dnsServerIps: ['10.0.0.10'], searchDomains: ['a.b'] }],
    ethernet: { srcMac: '', dstMac: '', vlanTag: -1 },
    extra: {},
    mtuBytes: 1420,
  },
  labels: { app: 'x' },
  path: {
    index: 1,
    segments: [
      { name: 'nsc', id: 'c-0', token: 't', expiresMs: 1_900_000_000_005, metrics: {} },
      { name: 'nsmgr', id: 'c-1', token: '', expiresMs: undefined, metrics: {} },
    ],
  },
  endpointName: 'nse',
  payload: 'IP',
  state: 'RESELECT_REQUESTED',
}

describe('golden bytes', () => {
  it('of a request', () => {
    const bytes = [
      '0ae8010a03632d31120264621a1e0a054c4f43414c12064b45524e454c1a0d0a046e616d6512056e736d2d31227a0a540a0f',
      '3137322e31362e312e3130312f33322a1a0a0a31302e302e302e302f38120c3137322e31362e312e3130304a0a0a02080110',
      '40180120025a190a0b31302e312e302e302f313612037463701a0538302d393012120a100a0931302e302e302e3130120361',
      '2e621a0b18ffffffffffffffffff01288c0b2a080a03617070120178322c0801121a0a036e73631203632d301a0174220b08',
      '80e6fe890710c096b102120c0a056e736d67721203632d313a036e736542024950480312130a0652454d4f54451209574952',
      '454755415244',
    ].join('')
    const { NetworkServiceRequest } = api.networkServiceProto
    const read = api.requestFromProto(NetworkServiceRequest.decode(Buffer.from(bytes, 'hex')))
    expect(read).toEqual({
      connection,
      mechanismPreferences: [{ cls: 'REMOTE', type: 'WIREGUARD', parameters: {} }],
    })
    expect(hex(NetworkServiceRequest.encode(api.requestToProto(read)))).toBe(bytes)
  })

  it('of an endpoint that was found', () => {
    const bytes = [
      '0a530a036e7365120264621a0e0a02646212080a060a016b12017622127463703a2f2f312e322e332e343a353030312a0608',
      '80e6fe8907320b08ffffffffffffffffff013a0f7370696666653a2f2f656173742f611001',
    ].join('')
    const { NetworkServiceEndpointResponse } = api.registryProto
    const expected: Found<NetworkServiceEndpoint> = {
      value: {
        name: 'nse',
        networkServiceNames: ['db'],
        networkServiceLabels: new Map([['db', { k: 'v' }]]),
        url: 'tcp://1.2.3.4:5001',
        expiresMs: 1_900_000_000_000,
        registeredMs: -1000,
        pathIds: ['spiffe://east/a'],
      },
      deleted: true,
    }
    expect(api.foundEndpointFromProto(NetworkServiceEndpointResponse.decode(Buffer.from(bytes, 'hex')))).toEqual(
      expected,
    )
    expect(hex(NetworkServiceEndpointResponse.encode(api.foundEndpointToProto(expected)))).toBe(bytes)
  })

  it('of a network service that was found', () => {
    const bytes = [
      '0a2d0a026462120249501a200a060a0161120162120a0a060a01631201641007180122080a060a0165120166220173',
    ].join('')
    const { NetworkServiceResponse } = api.registryProto
    const routes = [{ destinationSelector: { c: 'd' }, weight: 7 }]
    const expected: Found<NetworkService> = {
      value: {
        name: 'db',
        payload: 'IP',
        matches: [{ sourceSelector: { a: 'b' }, routes, fallthrough: true, metadata: { labels: { e: 'f' } } }],
        pathIds: ['s'],
      },
      deleted: false,
    }
    expect(api.foundServiceFromProto(NetworkServiceResponse.decode(Buffer.from(bytes, 'hex')))).toEqual(expected)
    expect(hex(NetworkServiceResponse.encode(api.foundServiceToProto(expected)))).toBe(bytes)
  })

  it('of an event', () => {
    const { ConnectionEvent } = api.connectionProto
    const read: ConnectionEvent = api.eventFromProto(
      ConnectionEvent.decode(Buffer.from('0802120c0a03632d3112050a03632d31', 'hex')),
    )
    expect(read.type).toBe('DELETE')
    expect(read.connections.get('c-1')).toMatchObject({ id: 'c-1', state: 'UP', context: api.emptyContext })
  })

  it('of a selector', () => {
    const bytes = '0a0312017812026462'
    const { MonitorScopeSelector } = api.connectionProto
    const read = api.selectorFromProto(MonitorScopeSelector.decode(Buffer.from(bytes, 'hex')))
    expect(read).toEqual({ pathSegments: [{ name: '', id: 'x', token: '' }], networkServices: ['db'] })
    expect(hex(MonitorScopeSelector.encode(api.selectorToProto(read)))).toBe(bytes)
  })
})

function hex(writer: { finish(): Uint8Array }): string {
  return Buffer.from(writer.finish()).toString('hex')
}
