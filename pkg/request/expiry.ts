/** Ends connections whose client has not refreshed them: at the end of the token with which it last asked. */
import type { Clock } from '../base/index.ts'
import type { ConnectionRecord, ConnectionTable } from './connection-table.ts'

/** Clients could not refresh while the daemon was away, so they get this long after its return. */
const GRACE_MS = 60_000

export interface ExpiryOptions {
  readonly clock: Clock
  readonly table: ConnectionTable
  /** Called once per expired connection. Must not throw. */
  readonly onExpired: (record: ConnectionRecord) => void
}

export class Expiry {
  readonly #options: ExpiryOptions
  readonly #timers = new Map<string, () => void>()
  readonly #unsubscribe: () => void

  /** Follows `table`: what is in it is timed, what leaves it is forgotten. */
  constructor(options: ExpiryOptions) {
    const { clock, table } = options
    this.#options = options
    this.#unsubscribe = table.subscribe(({ type, record }) => {
      if (type === 'DELETE') this.#disarm(record.id)
      else this.#arm(record.id, record.expiresMs)
    })
    const soonestMs = clock.nowMs() + GRACE_MS
    for (const { id, expiresMs } of table.all()) this.#arm(id, Math.max(expiresMs, soonestMs))
  }

  close(): void {
    this.#unsubscribe()
    for (const id of [...this.#timers.keys()]) this.#disarm(id)
  }

  #arm(id: string, atMs: number): void {
    this.#disarm(id)
    const { clock, table, onExpired } = this.#options
    const fire = () => {
      this.#timers.delete(id)
      const record = table.get(id)
      if (record !== undefined) onExpired(record)
    }
    this.#timers.set(id, clock.after(atMs - clock.nowMs(), fire))
  }

  #disarm(id: string): void {
    this.#timers.get(id)?.()
    this.#timers.delete(id)
  }
}
