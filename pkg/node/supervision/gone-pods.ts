import type { ConnectionRecord, ConnectionTable } from '../../connections/index.ts'

export interface GonePodsParts {
  readonly table: ConnectionTable
  /** Ends a connection for which `isStill` holds when its turn comes. Does not reject. */
  readonly end: (id: string, reason: string, isStill: (record: ConnectionRecord) => boolean) => Promise<void>
}

/**
 * Ends the connections that begin or end in a network namespace in which no process is left: its pod is gone, and comes
 * back in another namespace if at all. A connection that leads elsewhere by now stays.
 */
export function endGone({ table, end }: GonePodsParts, namespace: string): void {
  const isClients = ({ ownerNamespace }: ConnectionRecord) => ownerNamespace === namespace
  const isEndpoints = ({ serverNamespace }: ConnectionRecord) => serverNamespace === namespace
  for (const record of [...table.all()]) {
    if (isClients(record)) void end(record.id, 'the pod of its client is gone', isClients)
    else if (isEndpoints(record)) void end(record.id, 'the pod of its endpoint is gone', isEndpoints)
  }
}
