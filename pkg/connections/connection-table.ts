/**
 * The connections of a node, durable: after a restart, the node still serves refresh, close, monitor and expiry of those
 * that stand. A record is written after its wire has settled, and deleted when its wire is to go.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Call, Connection, ConnectionEventType } from '../api/index.ts'
import { type Clock, Listeners } from '../base/index.ts'
import { CallerIds } from './caller-ids.ts'

/** What can speak against a connection being up, in the order in which people are told. */
export const WITNESSES = ['endpoint', 'link', 'client session', 'server session', 'far end', 'refresh'] as const

export const FAR_END_DOWN = 'the far end says that it is down'

export type Witness = (typeof WITNESSES)[number]

/** Where a request goes next. */
export type Target =
  | { readonly at: 'endpoint'; readonly endpoint: string; readonly url: string; readonly owner: string }
  /** `domain` is empty for the nodes of our own domain. */
  | { readonly at: 'node'; readonly endpoint: string; readonly url: string; readonly domain: string }

/** Plain JSON: it lives in the store. */
export interface ConnectionRecord {
  /** This node's id of the connection. */
  readonly id: string
  /** SPIFFE ID of the previous hop; only it may refresh, close or replace the connection. */
  readonly owner: string
  /** Its network namespace, where it is a workload on this node; see `Owned` in steps. */
  readonly ownerNamespace: string | undefined
  /** The namespace of the endpoint, where it is on this node. */
  readonly serverNamespace: string | undefined
  /** All SPIFFE IDs that were proven on the path: the client's first, the next hop's last. */
  readonly identities: readonly string[]
  /** Whom the quota of wires counts it for. Absent in records of 0.2 and earlier. */
  readonly accounts?: readonly string[]
  /** What the wire has because the policy allows it. Absent in records of 0.2 and earlier. */
  readonly allowedPrefixes?: readonly string[]
  /** By which we recognise a caller that has lost our answer, see `callerKey`. */
  readonly callerKey: string
  /** As we answered, in this node's view. */
  readonly connection: Connection
  /** As the next hop answered, in this node's view: what refresh and close send there. */
  readonly outgoing: Connection
  readonly target: Target
  /** X25519 private keys with which the wire initiates handshakes, base64; undefined where that side is local. */
  readonly clientKey: string | undefined
  readonly serverKey: string | undefined
  /** When the token of the previous hop expires, and the connection with it. */
  readonly expiresMs: number
  /** Who says that the connection is down, and why. Its state is UP while nobody does. */
  readonly faults?: Readonly<Partial<Record<Witness, string>>>
  /** Whether its client is asked to refresh it, because what was agreed on is no longer so. */
  readonly isToRefresh?: boolean
}

/** What the first of the witnesses says; undefined: nobody says anything. */
export function faultOf({ faults = {} }: Pick<ConnectionRecord, 'faults'>): string | undefined {
  return WITNESSES.map((witness) => faults[witness]).find((reason) => reason !== undefined)
}

/** Where the records stay while the daemon is down. */
export interface RecordStore {
  load(): Iterable<ConnectionRecord>
  put(record: ConnectionRecord): void
  delete(id: string): void
}

export interface TableEvent {
  readonly type: Exclude<ConnectionEventType, 'INITIAL_STATE_TRANSFER'>
  readonly record: ConnectionRecord
}

/** A far node may say UP and DOWN as often as it likes: the disk hears of the last of it once in so long. */
const WRITE_STATES_MS = 1_000
/** How long after a write has failed, because the disk is full or fails, the next one is tried. */
const WRITE_AGAIN_MS = 10_000

export class ConnectionTable {
  readonly #store: RecordStore
  readonly #check: (record: ConnectionRecord) => void
  readonly #clock: Clock
  /** Connections whose state on disk is not the last one. */
  readonly #stale = new Set<string>()
  #cancelWrite: (() => void) | undefined
  readonly #records = new Map<string, ConnectionRecord>()
  readonly #callers = new CallerIds()
  readonly #listeners = new Listeners<[event: TableEvent]>()

  /** @param check throws for a record that must not stand: trust may have ended while it was requested. */
  constructor(store: RecordStore, clock: Clock, check: (record: ConnectionRecord) => void = () => {}) {
    this.#store = store
    this.#clock = clock
    this.#check = check
    for (const record of store.load()) this.#remember(withState(record))
  }

  get(id: string): ConnectionRecord | undefined {
    return this.#records.get(id)
  }

  /** The id of the connection that this caller has here already, under whatever id the caller knows it. */
  idFor(connection: Connection, call: Call): string | undefined {
    return this.#callers.idFor(connection, call)
  }

  all(): Iterable<ConnectionRecord> {
    return this.#records.values()
  }

  /**
   * What was said against the connection still holds if it leads where it did. A connection that stands goes on with
   * what has changed also where that cannot be written, such as on a full disk.
   *
   * @returns the record as it stands, with its state
   * @throws {NsmError} what the check or, for a new connection, the store throws; then nothing has changed.
   */
  save(asked: ConnectionRecord): ConnectionRecord {
    this.#check(asked)
    const before = this.#records.get(asked.id)
    const record = withState({ ...asked, faults: faultsAfter(before, asked) })
    if (before === undefined) this.#store.put(record)
    else this.#write(record)
    this.#remember(record)
    this.#tell({ type: 'UPDATE', record })
    return record
  }

  delete(id: string): void {
    const record = this.#records.get(id)
    if (record === undefined) return
    this.#store.delete(id)
    this.#stale.delete(id)
    this.#records.delete(id)
    this.#callers.forget(id)
    this.#tell({ type: 'DELETE', record })
  }

  /**
   * Notes what `witness` says against the connection; undefined: nothing (any more). The listeners are told at once
   * when that changes its state.
   */
  setFault(id: string, witness: Witness, reason: string | undefined): void {
    const record = this.#records.get(id)
    if (record === undefined || record.faults?.[witness] === reason) return
    const { [witness]: _, ...others } = record.faults ?? {}
    this.#judge(record, { faults: reason === undefined ? others : { ...others, [witness]: reason } })
  }

  /** Asks the client to refresh the connection, by NSM's state for that; a refresh that succeeds ends it. */
  requestRefresh(id: string): void {
    const record = this.#records.get(id)
    if (record !== undefined) this.#judge(record, { isToRefresh: true })
  }

  #judge(record: ConnectionRecord, change: Pick<ConnectionRecord, 'faults' | 'isToRefresh'>): void {
    const changed = withState({ ...record, ...change })
    this.#remember(changed)
    this.#writeLater(record.id, WRITE_STATES_MS)
    if (changed.connection.state !== record.connection.state) this.#tell({ type: 'UPDATE', record: changed })
  }

  subscribe(listener: (event: TableEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Writes what is not on disk yet. */
  close(): void {
    this.#writeStale()
    this.#cancelWrite?.()
  }

  #writeLater(id: string, afterMs: number): void {
    this.#stale.add(id)
    this.#cancelWrite ??= this.#clock.after(afterMs, () => this.#writeStale())
  }

  #writeStale(): void {
    this.#cancelWrite = undefined
    for (const id of [...this.#stale]) {
      const record = this.#records.get(id)
      if (record === undefined) this.#stale.delete(id)
      else if (!this.#write(record)) return
    }
  }

  /** What cannot be written now is tried again: nobody waits for it. */
  #write(record: ConnectionRecord): boolean {
    try {
      this.#store.put(record)
      this.#stale.delete(record.id)
      return true
    } catch {
      this.#writeLater(record.id, WRITE_AGAIN_MS)
      return false
    }
  }

  #remember(record: ConnectionRecord): void {
    this.#records.set(record.id, record)
    this.#callers.remember(record.id, record.callerKey)
  }

  #tell(event: TableEvent): void {
    this.#listeners.tell(event)
  }
}

type Faults = NonNullable<ConnectionRecord['faults']>

/** A request has succeeded: who answered is there, and says how it is. What is known of the tunnels still holds. */
function faultsAfter(before: ConnectionRecord | undefined, now: ConnectionRecord): Faults {
  const { link, 'client session': client, 'server session': server } = before?.faults ?? {}
  const isSameServer = isDeepStrictEqual([before?.target, before?.serverKey], [now.target, now.serverKey])
  const isSameClient = before?.clientKey === now.clientKey
  return {
    ...(link !== undefined && isSameServer && { link }),
    ...(server !== undefined && isSameServer && { 'server session': server }),
    ...(client !== undefined && isSameClient && { 'client session': client }),
    ...(now.outgoing.state === 'DOWN' && { 'far end': FAR_END_DOWN }),
  }
}

function withState(record: ConnectionRecord): ConnectionRecord {
  const { faults = {}, isToRefresh = false, connection } = record
  const whole = isToRefresh ? 'REFRESH_REQUESTED' : 'UP'
  return { ...record, faults, connection: { ...connection, state: Object.keys(faults).length === 0 ? whole : 'DOWN' } }
}
