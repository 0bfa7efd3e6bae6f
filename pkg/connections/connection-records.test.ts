import { expect, it } from 'vitest'
import { type Connection, emptyContext } from '../api/index.ts'
import { openDatabase } from '../store/index.ts'
import { type ConnectionRecord, connectionRecords, connectionsSchema } from './index.ts'

const segment = { id: 'c1', name: 'n1', token: 'jwt', expiresMs: 5, metrics: {} }
const connection: Connection = {
  id: 'c1',
  networkService: 'files@east',
  mechanism: { cls: 'LOCAL', type: 'KERNEL', parameters: { name: 'nsm-1' } },
  context: { ...emptyContext, mtuBytes: 1440 },
  labels: { app: 'web' },
  path: { index: 0, segments: [segment] },
  endpointName: 'nse@east',
  payload: 'IP',
  state: 'UP',
}
const record: ConnectionRecord = {
  id: 'c1',
  owner: 'spiffe://west/node/n1/uid/1000',
  identities: ['spiffe://west/node/n1/uid/1000'],
  callerKey: 'key',
  connection,
  outgoing: connection,
  target: { at: 'node', endpoint: 'nse@east', url: 'tcp://192.0.2.2:5001', domain: 'east' },
  clientKey: 'a2V5',
  serverKey: 'a2V5',
  expiresMs: 5,
}

it('connectionRecords gives back what was put, and forgets what was deleted', () => {
  const database = openDatabase(':memory:', { application: 'nsmd connections', migrations: [connectionsSchema] })
  const store = connectionRecords(database)
  store.put(record)
  store.put({ ...record, expiresMs: 7 })
  expect([...store.load()]).toEqual([{ ...record, expiresMs: 7 }])
  store.delete(record.id)
  expect([...store.load()]).toEqual([])
})
