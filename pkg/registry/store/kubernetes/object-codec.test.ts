import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { objectNameOf } from '../../../kube/index.ts'
import { endpoint, service } from '../../testing/index.ts'
import { endpointObjects } from './endpoint-object.ts'
import { serviceObjects } from './service-object.ts'

const labels = fc.dictionary(fc.string(), fc.string())
const names = fc.string({ minLength: 1 })

function metadataOf(name: string) {
  return { name: objectNameOf(name), namespace: 'mesh' }
}

describe('objects of the registry', () => {
  test('give back every service, to the last field', () => {
    const match = fc.record({
      sourceSelector: labels,
      routes: fc.array(fc.record({ destinationSelector: labels, weight: fc.nat() })),
      fallthrough: fc.boolean(),
      metadata: fc.option(fc.record({ labels }), { nil: undefined }),
    })
    const services = fc.record({
      name: names,
      payload: fc.constantFrom('IP', 'ETHERNET'),
      matches: fc.array(match),
      pathIds: fc.array(fc.string()),
    })
    fc.assert(
      fc.property(services, (value) => {
        const text = JSON.stringify(serviceObjects.toObject(value, metadataOf(value.name)))
        expect(serviceObjects.fromObject(JSON.parse(text))).toEqual(value)
      }),
    )
  })

  test('give back every endpoint, to the last field', () => {
    const times = fc.option(fc.nat({ max: 4_000_000_000_000 }), { nil: undefined })
    const endpoints = fc.record({
      name: names,
      networkServiceNames: fc.array(names),
      networkServiceLabels: fc.array(fc.tuple(names, labels)).map((entries) => new Map(entries)),
      url: fc.string(),
      expiresMs: times,
      registeredMs: times,
      pathIds: fc.array(fc.string()),
    })
    fc.assert(
      fc.property(endpoints, (value) => {
        const text = JSON.stringify(endpointObjects.toObject(value, metadataOf(value.name)))
        expect(endpointObjects.fromObject(JSON.parse(text))).toEqual(value)
      }),
    )
  })

  test('may be written by hand with next to nothing', () => {
    const metadata = { name: 'files', namespace: 'mesh' }
    expect(serviceObjects.fromObject({ metadata })).toEqual(service('files', { pathIds: [] }))
    expect(endpointObjects.fromObject({ metadata, spec: {} })).toEqual(
      endpoint('files', { networkServiceNames: [], url: '', pathIds: [] }),
    )
    expect(serviceObjects.fromObject({ metadata, spec: { matches: [{}] } }).matches).toEqual([
      { sourceSelector: {}, routes: [], fallthrough: false, metadata: undefined },
    ])
  })

  test('that say the name of another object count by their own', () => {
    const metadata = { name: 'mine', namespace: 'mesh' }
    for (const name of ['yours', 'Mine', '']) {
      expect(serviceObjects.fromObject({ metadata, spec: { name } }).name).toBe('mine')
    }
    const { name } = metadataOf('Mine')
    expect(serviceObjects.fromObject({ metadata: { name }, spec: { name: 'Mine' } }).name).toBe('Mine')
  })

  test('are as upstream writes them', () => {
    const value = endpoint('nse-1', {
      networkServiceLabels: new Map([['files', { app: 'web' }]]),
      expiresMs: 1_900_000_000_123,
      registeredMs: 1_800_000_000_000,
    })
    expect(endpointObjects.toObject(value, metadataOf('nse-1')).spec).toEqual({
      name: 'nse-1',
      network_service_names: ['files'],
      network_service_labels: { files: { labels: { app: 'web' } } },
      url: 'tcp://192.0.2.1:5001',
      expiration_time: { seconds: 1_900_000_000, nanos: 123_000_000 },
      initial_registration_time: { seconds: 1_800_000_000, nanos: 0 },
      path_ids: ['spiffe://west/node/n1'],
    })
  })
})
