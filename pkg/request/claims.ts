import type { Mechanism } from '../api/index.ts'
import type { ConnectionTable } from '../connections/index.ts'
import { mechanisms } from '../mechanism/index.ts'

/**
 * Numbers that no two connections of this node may share, by mechanism: kept in step with the table, so that no request
 * has to count connections.
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
