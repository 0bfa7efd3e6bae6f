/**
 * The connections of this node, durable, so that a restarted daemon serves refresh, close, monitor and expiry of those
 * that stand. A record is written after its wire is settled and deleted after its wire is to go.
 */
import type { Connection, ConnectionEventType } from '../api/index.ts'
import type { Target } from './parts.ts'

/** Plain JSON: it lives in the store. */
export interface ConnectionRecord {
  /** This node's id of the connection. */
  readonly id: string
  /** SPIFFE ID of the previous hop; only it may refresh, close or replace the connection. */
  readonly owner: string
  /** All SPIFFE IDs that were proven on the path, the client's first, the next hop's last. */
  readonly identities: readonly string[]
  /** By which a caller that lost our answer is recognised, see `callerKey`. */
  readonly callerKey: string
  /** As answered, in this node's view. */
  readonly connection: Connection
  /** As the next hop answered, in this node's view: what it is asked with on refresh and close. */
  readonly outgoing: Connection
  readonly target: Target
  /** X25519 private keys with which the wire initiates, base64; undefined where that side is local. */
  readonly clientKey: string | undefined
  readonly serverKey: string | undefined
  /** When the previous hop's token ends, and with it the connection. */
  readonly expiresMs: number
}

/** Where records stay while the daemon is away. */
export interface RecordStore {
  load(): Iterable<ConnectionRecord>
  put(record: ConnectionRecord): void
  delete(id: string): void
}

export interface TableEvent {
  readonly type: Exclude<ConnectionEventType, 'INITIAL_STATE_TRANSFER'>
  readonly record: ConnectionRecord
}

export class ConnectionTable {
  readonly #store: RecordStore
  readonly #records = new Map<string, ConnectionRecord>()
  readonly #idsByCaller = new Map<string, string>()
  readonly #listeners = new Set<(event: TableEvent) => void>()

  constructor(store: RecordStore) {
    this.#store = store
    for (const record of store.load()) this.#remember(record)
  }

  get(id: string): ConnectionRecord | undefined {
    return this.#records.get(id)
  }

  /** The id of the connection that this caller has already, under whatever id it knows it. */
  idOf(callerKey: string): string | undefined {
    return this.#idsByCaller.get(callerKey)
  }

  all(): Iterable<ConnectionRecord> {
    return this.#records.values()
  }

  /** @throws {NsmError} as the store does; then nothing has changed. */
  save(record: ConnectionRecord): void {
    this.#store.put(record)
    this.#remember(record)
    this.#tell({ type: 'UPDATE', record })
  }

  delete(id: string): void {
    const record = this.#records.get(id)
    if (record === undefined) return
    this.#store.delete(id)
    this.#records.delete(id)
    if (this.#idsByCaller.get(record.callerKey) === id) this.#idsByCaller.delete(record.callerKey)
    this.#tell({ type: 'DELETE', record })
  }

  /** Sets the state of a connection, for those who watch; nothing when it is so already. */
  setState(id: string, state: Connection['state']): void {
    const record = this.#records.get(id)
    if (record === undefined || record.connection.state === state) return
    this.save({ ...record, connection: { ...record.connection, state } })
  }

  subscribe(listener: (event: TableEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #remember(record: ConnectionRecord): void {
    this.#records.set(record.id, record)
    this.#idsByCaller.set(record.callerKey, record.id)
  }

  #tell(event: TableEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
