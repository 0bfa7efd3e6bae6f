import { expect, it } from 'vitest'
import { type Connection, emptyContext } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { openDatabase } from '../store/index.ts'
import {
  type ConnectionRecord,
  ConnectionTable,
  connectionRecords,
  connectionsSchema,
  ownerNamespaces,
} from './index.ts'

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
  ownerNamespace: 'inode://4/101',
  serverNamespace: undefined,
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

it('ConnectionTable asks for a refresh, also after a restart, until there is one; a fault comes first', () => {
  const database = openDatabase(':memory:', { application: 'nsmd connections', migrations: [connectionsSchema] })
  const open = () => new ConnectionTable(connectionRecords(database), new FakeClock())
  const first = open()
  first.save(record)
  const told: string[] = []
  first.subscribe(({ record: { connection } }) => told.push(connection.state))
  first.requestRefresh('c1')
  first.requestRefresh('c1')
  first.setFault('c1', 'link', 'nothing comes through')
  first.setFault('c1', 'link', undefined)
  expect(told).toEqual(['REFRESH_REQUESTED', 'DOWN', 'REFRESH_REQUESTED'])
  first.close()
  const second = open()
  expect(second.get('c1')?.connection.state).toBe('REFRESH_REQUESTED')
  expect(second.save(record).connection.state).toBe('UP')
  database.close()
})

it('ownerNamespaces reads from the key of the caller in which namespace the owner of an older record was', () => {
  const database = openDatabase(':memory:', { application: 'test', migrations: [connectionsSchema] })
  const { ownerNamespace: _, ...older } = record
  const keyOf = (namespace: string) => JSON.stringify(['spiffe://west/node/n1/uid/1000', namespace, 'client', 'c'])
  const put = database.command('INSERT INTO connections VALUES (?, ?)')
  const insert = (id: string, callerKey: string) => put.run(id, JSON.stringify({ ...older, id, callerKey }))
  insert('local', keyOf('inode://4/101'))
  insert('remote', keyOf(''))
  insert('odd', 'key')
  database.command(ownerNamespaces).run()
  const found = [...connectionRecords(database).load()].map(({ id, ownerNamespace }) => [id, ownerNamespace])
  expect(found.sort()).toEqual([
    ['local', 'inode://4/101'],
    ['odd', undefined],
    ['remote', undefined],
  ])
  database.close()
})

it('a full disk refuses new connections, and those that stand are refreshed and written later', async () => {
  const clock = new FakeClock()
  const disk = new Map<string, ConnectionRecord>([['c1', record]])
  let isFull = true
  const put = (written: ConnectionRecord) => {
    if (isFull) throw new NsmError('resource_exhausted', 'Cannot write the state file: the disk is full')
    disk.set(written.id, written)
  }
  const table = new ConnectionTable(
    { load: () => [...disk.values()], put, delete: (id) => void disk.delete(id) },
    clock,
  )
  expect(() => table.save({ ...record, id: 'c2' })).toThrow('the disk is full')
  expect(table.get('c2')).toBeUndefined()
  table.save({ ...record, expiresMs: 6 })
  expect([table.get('c1')?.expiresMs, disk.get('c1')?.expiresMs]).toEqual([6, 5])
  await clock.advance(60_000)
  isFull = false
  await clock.advance(10_000)
  expect(disk.get('c1')?.expiresMs).toBe(6)
  table.close()
  expect(clock.pending).toBe(0)
})
