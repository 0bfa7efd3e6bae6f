/**
 * Answers a Find. A plain one yields the matching records and ends; a watch yields the same, then every change:
 *
 *     list --> changes since the list --> (the exports change) --> list ...
 */
import type { Found } from '../../api/index.ts'
import type { Page, Records, RegistryRecord } from '../store/registry-store.ts'
import type { CallerView } from './caller-view.ts'
import type { SearchTurns } from './search-turns.ts'
import { SentRecords } from './sent-records.ts'

export interface Search<T extends RegistryRecord> {
  readonly records: Records<T>
  /** What to read, at this moment: as little as the caller's question and view allow. */
  queries(): readonly Partial<T>[]
  /** The value as the caller may see it; undefined when it may not, or when it does not match. */
  show(value: T): T | undefined
  readonly view: CallerView
  readonly turns: SearchTurns
  /** Whose turns the search takes. */
  readonly caller: string
  readonly signal: AbortSignal
}

export async function* findRecords<T extends RegistryRecord>(search: Search<T>): AsyncGenerator<Found<T>> {
  const seen = new Set<string>()
  for await (const value of read(search)) {
    if (seen.has(value.name)) continue
    seen.add(value.name)
    const shown = search.show(value)
    if (shown !== undefined) yield { value: shown, deleted: false }
  }
}

export async function* watchRecords<T extends RegistryRecord>(search: Search<T>): AsyncGenerator<Found<T>> {
  const sent = new SentRecords(search.show)
  while (!search.signal.aborted) {
    const round = search.view.untilChange(search.signal)
    try {
      // What changes while the pages are read comes again with the changes.
      const revision = await search.records.revision()
      const values: T[] = []
      for await (const value of read(search)) values.push(value)
      yield* sent.onList(values)
      for await (const change of search.records.watch(revision, round.signal)) yield* sent.onChange(change)
    } finally {
      round.done()
    }
  }
}

/** A record comes more than once when several queries find it. */
async function* read<T extends RegistryRecord>({ records, queries, turns, caller, signal }: Search<T>) {
  for (const query of queries()) {
    let after: string | undefined = ''
    while (after !== undefined) {
      if (signal.aborted) return
      const from: string = after
      const page: Page<T> = await turns.run(caller, () => records.page(query, from))
      yield* page.values
      after = page.next
    }
  }
}
