/**
 * Answers a Find. A plain one is the matching records and the end; a watch is the same, then every change:
 *
 *     list --> changes since the list --> (what may be seen changes) --> list ...
 */
import type { Found } from '../api/index.ts'
import type { Records, RegistryRecord } from './store.ts'
import { Told } from './told.ts'
import type { View } from './view.ts'

export interface Search<T extends RegistryRecord> {
  readonly records: Records<T>
  readonly query: Partial<T>
  /** The value as the caller may see it; undefined when it may not, or when it does not match. */
  show(value: T): T | undefined
  readonly view: View
  readonly signal: AbortSignal
}

export async function* findRecords<T extends RegistryRecord>(search: Search<T>): AsyncGenerator<Found<T>> {
  const { values } = await search.records.list(search.query)
  yield* new Told(search.show).present(values)
}

export async function* watchRecords<T extends RegistryRecord>(search: Search<T>): AsyncGenerator<Found<T>> {
  const told = new Told(search.show)
  while (!search.signal.aborted) {
    const round = search.view.untilChange(search.signal)
    try {
      const { revision, values } = await search.records.list(search.query)
      yield* told.present(values)
      for await (const change of search.records.watch(revision, round.signal)) yield* told.change(change)
    } finally {
      round.done()
    }
  }
}
