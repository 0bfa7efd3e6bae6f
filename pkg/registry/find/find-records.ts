/**
 * Answers a Find. A plain one yields the matching records and ends; a watch yields the same, then every change:
 *
 *     list --> changes since the list --> (the exports change) --> list ...
 */
import type { Found } from '../../api/index.ts'
import type { Records, RegistryRecord } from '../store/registry-store.ts'
import type { CallerView } from './caller-view.ts'
import { SentRecords } from './sent-records.ts'

export interface Search<T extends RegistryRecord> {
  readonly records: Records<T>
  /** What to read, at this moment: as little as the caller's question and view allow. */
  queries(): readonly Partial<T>[]
  /** The value as the caller may see it; undefined when it may not, or when it does not match. */
  show(value: T): T | undefined
  readonly view: CallerView
  readonly signal: AbortSignal
}

export async function* findRecords<T extends RegistryRecord>(search: Search<T>): AsyncGenerator<Found<T>> {
  const { values } = await search.records.listAny(search.queries())
  yield* new SentRecords(search.show).onList(values)
}

export async function* watchRecords<T extends RegistryRecord>(search: Search<T>): AsyncGenerator<Found<T>> {
  const sent = new SentRecords(search.show)
  while (!search.signal.aborted) {
    const round = search.view.untilChange(search.signal)
    try {
      const { revision, values } = await search.records.listAny(search.queries())
      yield* sent.onList(values)
      for await (const change of search.records.watch(revision, round.signal)) yield* sent.onChange(change)
    } finally {
      round.done()
    }
  }
}
