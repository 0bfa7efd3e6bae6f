import type { ConnectionTable } from '../../connections/index.ts'

export interface IncompleteParts {
  readonly table: ConnectionTable
  /** The wires as they are wanted. */
  readonly wires: {
    intents(): readonly { readonly id: string }[]
    intent(id: string): unknown
    remove(id: string, signal: AbortSignal): Promise<void>
  }
  readonly end: (id: string, reason: string) => Promise<void>
}

/**
 * Ends, at a start, what a crash between the intent and the record of a connection has left. A wire without a record was
 * never answered, or is closed already; a record without a wire cannot be refreshed into one that its client still has.
 */
export async function endIncomplete({ table, wires, end }: IncompleteParts, signal: AbortSignal): Promise<void> {
  for (const { id } of wires.intents()) {
    if (table.get(id) === undefined) await wires.remove(id, signal)
  }
  for (const { id } of [...table.all()]) {
    if (wires.intent(id) === undefined) await end(id, 'its wire was removed')
  }
}
