import { describe, expect, it } from 'vitest'
import type { Labels, Match, NetworkServiceEndpoint } from '../api/index.ts'
import { matchEndpoints } from './match-endpoints.ts'

function endpoint(name: string, labels: Labels): NetworkServiceEndpoint {
  return {
    name,
    networkServiceNames: ['svc'],
    networkServiceLabels: new Map([['svc', labels]]),
    url: 'tcp://10.0.0.1:5001',
    expiresMs: undefined,
    registeredMs: undefined,
    pathIds: [],
  }
}

const endpoints = [
  endpoint('gateway', { app: 'gateway' }),
  endpoint('firewall', { app: 'firewall' }),
  endpoint('on-n1', { app: 'local', nodeName: 'n1' }),
  endpoint('literal', { app: 'local', nodeName: '{{.nodeName}}' }),
]

function to(sourceSelector: Labels, destinations: readonly Labels[], more: Partial<Match> = {}): Match {
  const routes = destinations.map((destinationSelector) => ({ destinationSelector, weight: 0 }))
  return { sourceSelector, routes, fallthrough: false, metadata: undefined, ...more }
}

const all = endpoints.map(({ name }) => name)

describe('matchEndpoints', () => {
  it.each<[string, readonly Match[], Labels, readonly string[]]>([
    ['takes all without matches', [], {}, all],
    ['takes what a destination selects', [to({}, [{ app: 'firewall' }])], {}, ['firewall']],
    ['takes all for an empty destination', [to({}, [{}])], {}, all],
    ['needs the source labels', [to({ app: 'a' }, [{}])], { app: 'b' }, []],
    ['lets the first match decide', [to({}, [{ app: 'x' }]), to({}, [{}])], {}, []],
    ['falls through when nothing is found', [to({}, [{ app: 'x' }], { fallthrough: true }), to({}, [{}])], {}, all],
    [
      'does not fall through when something is',
      [to({}, [{ app: 'gateway' }], { fallthrough: true }), to({}, [{}])],
      {},
      ['gateway'],
    ],
    [
      'joins its routes without repeating',
      [to({}, [{ app: 'gateway' }, { app: 'gateway' }, { app: 'firewall' }])],
      {},
      ['gateway', 'firewall'],
    ],
    ['fills in client labels', [to({}, [{ nodeName: '{{ .nodeName }}' }])], { nodeName: 'n1' }, ['on-n1']],
    ['fills in quoted names', [to({}, [{ nodeName: '{{ index . "nodeName" }}' }])], { nodeName: 'n1' }, ['on-n1']],
    ['leaves names without a value as they are', [to({}, [{ nodeName: '{{.nodeName}}' }])], {}, ['literal']],
    ['takes none for a match without routes', [to({}, [])], {}, []],
    ['takes all for a match that is about forwarders', [to({}, [], { metadata: { labels: {} } })], {}, all],
    ['sees no inherited labels', [to({}, [{ constructor: 'x' }])], {}, []],
  ])('%s', (_claim, matches, labels, expected) => {
    const service = { name: 'svc', payload: 'IP', matches, pathIds: [] }
    expect(matchEndpoints(service, endpoints, labels).map(({ name }) => name)).toEqual(expected)
  })
})
