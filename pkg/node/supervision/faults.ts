import type { ConnectionTable } from '../../connections/index.ts'

/** What can be wrong with a connection, each known from another source. */
export type Fault =
  /** The next hop says so, or is gone. */
  | 'far-end'
  /** Its endpoint, on this node, is no longer registered. */
  | 'endpoint'
  /** Its session has broken. */
  | 'session'
  /** Nothing comes through to the node that it leads to. */
  | 'link'

/**
 * A connection is DOWN for as long as anything is wrong with it: that a session works says nothing about an endpoint that
 * is gone. A request that succeeds begins anew.
 */
export class Faults {
  readonly #table: ConnectionTable
  readonly #faults = new Map<string, Set<Fault>>()
  readonly #unsubscribe: () => void
  #isOurs = false

  constructor(table: ConnectionTable) {
    this.#table = table
    this.#unsubscribe = table.subscribe(({ record }) => {
      if (!this.#isOurs) this.#faults.delete(record.id)
    })
  }

  set(id: string, fault: Fault, isThere: boolean): void {
    if (this.#table.get(id) === undefined) return
    const faults = this.#faults.get(id) ?? new Set()
    if (isThere) faults.add(fault)
    else faults.delete(fault)
    if (faults.size > 0) this.#faults.set(id, faults)
    else this.#faults.delete(id)
    this.#isOurs = true
    try {
      this.#table.setState(id, faults.size > 0 ? 'DOWN' : 'UP')
    } finally {
      this.#isOurs = false
    }
  }

  has(id: string, fault: Fault): boolean {
    return this.#faults.get(id)?.has(fault) === true
  }

  close(): void {
    this.#unsubscribe()
  }
}
