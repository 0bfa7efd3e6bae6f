import type { Mechanism } from '../api/index.ts'
import type { ConnectionTable } from '../connections/index.ts'
import { mechanisms } from '../mechanism/index.ts'

/**
 * The numbers that the connections of this node have claimed, by mechanism. It follows the table of connections, so that
 * no request has to look through them.
 */
export class Claims {
  readonly #byConnection = new Map<string, string>()
  readonly #taken = new Set<string>()

  constructor(table: ConnectionTable) {
    for (const { id, connection } of table.all()) this.#set(id, connection.mechanism)
    table.subscribe(({ type, record }) =>
      this.#set(record.id, type === 'DELETE' ? undefined : record.connection.mechanism),
    )
  }

  isTaken(type: string, number: number): boolean {
    return this.#taken.has(nameOf(type, number))
  }

  #set(id: string, mechanism: Mechanism | undefined): void {
    this.#taken.delete(this.#byConnection.get(id) ?? '')
    const claim = mechanism === undefined ? undefined : claimOf(mechanism)
    if (claim === undefined) return void this.#byConnection.delete(id)
    this.#byConnection.set(id, claim)
    this.#taken.add(claim)
  }
}

function claimOf(mechanism: Mechanism): string | undefined {
  const number = mechanisms.find(({ type }) => type === mechanism.type)?.claim?.(mechanism)
  return number === undefined ? undefined : nameOf(mechanism.type, number)
}

function nameOf(type: string, number: number): string {
  return `${type} ${number}`
}
