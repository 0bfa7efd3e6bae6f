import { type Connection, emptyContext } from '../../api/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { type ConnectionRecord, ConnectionTable } from '../../connections/index.ts'

/** A connection of a workload of west to `files@east` at another node. */
export function testRecord(id: string, change: Partial<ConnectionRecord> = {}): ConnectionRecord {
  const segments = [`client-of-${id}`, id].map((each) => ({
    name: each,
    id: each,
    token: '',
    expiresMs: undefined,
    metrics: {},
  }))
  const connection: Connection = {
    id,
    networkService: 'files@east',
    mechanism: undefined,
    context: emptyContext,
    labels: {},
    path: { index: 1, segments },
    endpointName: 'nse@east',
    payload: 'IP',
    state: 'UP',
  }
  return {
    id,
    owner: 'spiffe://west/node/n1/uid/1000',
    ownerNamespace: 'inode://4/101',
    serverNamespace: undefined,
    identities: ['spiffe://west/node/n1/uid/1000', 'spiffe://east/node/e1'],
    callerKey: id,
    connection,
    outgoing: connection,
    target: { at: 'node', endpoint: 'nse@east', url: 'tcp://192.0.2.2:5001', domain: 'east' },
    clientKey: undefined,
    serverKey: undefined,
    expiresMs: 0,
    ...change,
  }
}

/** A table in memory. */
export function connectionTable(...records: readonly ConnectionRecord[]): ConnectionTable {
  return new ConnectionTable({ load: () => records, put() {}, delete() {} }, new FakeClock())
}
