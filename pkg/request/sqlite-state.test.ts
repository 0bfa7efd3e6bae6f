import { expect, it } from 'vitest'
import { openDatabase } from '../store/index.ts'
import { connectionRecords, nodeStateMigrations, type RegisteredEndpoint, registeredEndpoints } from './index.ts'
import { firstRequest, TestEndpoint, TestNode } from './testing/test-node.ts'

function database() {
  return openDatabase(':memory:', { application: 'nsmd connections', migrations: nodeStateMigrations })
}

it('connectionRecords gives back what was put, and forgets what was deleted', async () => {
  const node = new TestNode({ connect: () => new TestEndpoint().hop() })
  node.serve('files', 'nse-a')
  await node.service.request(firstRequest('files'), node.call())
  const [record] = [...node.table.all()]
  if (record === undefined) throw new Error('no record')
  const store = connectionRecords(database())
  store.put(record)
  store.put({ ...record, expiresMs: 7 })
  expect([...store.load()]).toEqual([{ ...record, expiresMs: 7 }])
  store.delete(record.id)
  expect([...store.load()]).toEqual([])
})

it('registeredEndpoints keeps labels and absent times', () => {
  const endpoint: RegisteredEndpoint = {
    url: 'unix:///run/nse.sock',
    owner: 'spiffe://west/node/n1/uid/0',
    networkServiceNames: ['files'],
    expiresMs: 5,
    endpoint: {
      name: 'nse-a',
      networkServiceNames: ['files'],
      networkServiceLabels: new Map([['files', { app: 'a' }]]),
      url: 'tcp://192.0.2.1:5001',
      expiresMs: undefined,
      registeredMs: 3,
      pathIds: ['spiffe://west/node/n1/uid/0'],
    },
  }
  const store = registeredEndpoints(database())
  store.put(endpoint)
  expect([...store.load()]).toEqual([endpoint])
})
