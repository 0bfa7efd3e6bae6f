/** The connections as a node's monitor shows them: with what was seen of their wires. */
import { asConnecting } from '../../api/index.ts'
import type { ConnectionRecord, ConnectionTable, TableEvent } from '../../connections/index.ts'
import type { SeenWires } from './seen-wires.ts'

export interface ShownConnections {
  all(): Iterable<ConnectionRecord>
  /** Calls back when a connection has changed, and when its wire is seen to work. */
  subscribe(listener: (event: TableEvent) => void): () => void
}

export function shownConnections(table: ConnectionTable, seen: SeenWires): ShownConnections {
  const show = (record: ConnectionRecord): ConnectionRecord =>
    seen.of(record.id) === 'connecting' ? { ...record, connection: asConnecting(record.connection) } : record
  return {
    all: () => [...table.all()].map(show),
    subscribe(listener) {
      const unsubscribe = [
        table.subscribe(({ type, record }) => listener({ type, record: type === 'UPDATE' ? show(record) : record })),
        seen.subscribe((id) => {
          const record = table.get(id)
          if (record !== undefined) listener({ type: 'UPDATE', record: show(record) })
        }),
      ]
      return () => {
        for (const each of unsubscribe) each()
      }
    },
  }
}
