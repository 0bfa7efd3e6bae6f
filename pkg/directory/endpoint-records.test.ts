import { expect, it } from 'vitest'
import { openDatabase } from '../store/index.ts'
import { endpointRecords, endpointsSchema, type RegisteredEndpoint } from './index.ts'

it('endpointRecords keeps labels and absent times', () => {
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
  const database = openDatabase(':memory:', { application: 'nsmd connections', migrations: [endpointsSchema] })
  const store = endpointRecords(database)
  store.put(endpoint)
  expect([...store.load()]).toEqual([endpoint])
})
