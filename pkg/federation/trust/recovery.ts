import type { Clock } from '../../base/index.ts'
import { SELF } from '../store/trust-record.ts'
import { noSelf } from './introduce-self.ts'
import type { TrustRecords } from './trust-records.ts'

export interface RecoveryOptions {
  readonly records: TrustRecords
  /** Whether the domain begins with this start: then it has no records to lose. */
  readonly isNew: boolean
  /** How long the owners of names have to come back. */
  readonly lengthMs: number
  readonly clock: Clock
}

/**
 * Until when names go only to those who had them; in the past where no records were lost. To be called before anything
 * else is recorded. It is kept: a registry that starts again before the owners are back goes on waiting for them.
 */
export async function recoversUntilMs({ records, isNew, lengthMs, clock }: RecoveryOptions): Promise<number> {
  const self = records.get('self', SELF)
  // Whoever had names here lives on: its identity is by the authority that was here before the records.
  if (self !== undefined || isNew) return self?.recoversUntilMs ?? 0
  const untilMs = clock.nowMs() + lengthMs
  await records.change('self', SELF, (known = noSelf) => ({ ...known, recoversUntilMs: untilMs }))
  return untilMs
}
