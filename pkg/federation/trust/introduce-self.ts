import { createHash } from 'node:crypto'
import type { Clock } from '../../base/index.ts'
import { type Introduction, SELF, type SelfRecord } from '../store/trust-record.ts'
import { isPlausible } from './introduction.ts'
import type { TrustRecords } from './trust-records.ts'

interface SelfOptions {
  readonly records: TrustRecords
  readonly domain: string
  readonly authorities: readonly Uint8Array[]
  readonly addresses: readonly string[]
  readonly clock: Clock
}

/**
 * What this domain says of itself. Its revision changes when the authorities or addresses do: it is the time of that
 * change, so that it still grows after the loss of all state. A counter would start again, and everybody who has seen a
 * greater one would refuse it.
 */
export async function introduceSelf(options: SelfOptions): Promise<Omit<Introduction, 'revoked'>> {
  const { records, domain, authorities, addresses, clock } = options
  const digest = digestOf(addresses, authorities)
  let revision = 0
  await records.change('self', SELF, (self = noSelf) => {
    const last = self.introduced
    if (last?.digest === digest && isPlausible(last.revision, clock.nowMs())) {
      revision = last.revision
      return self
    }
    const nowMs = Math.floor(clock.nowMs())
    const isUsable = last !== undefined && isPlausible(last.revision, nowMs)
    revision = isUsable ? Math.max(last.revision + 1, nowMs) : nowMs
    return { ...self, introduced: { revision, digest } }
  })
  return { domain, addresses, authorities, revision }
}

/** The record that counts where none is stored. */
export const noSelf: SelfRecord = { kind: 'self', name: SELF, introduced: undefined, exports: [] }

function digestOf(addresses: readonly string[], authorities: readonly Uint8Array[]): string {
  const hash = createHash('sha256').update(JSON.stringify(addresses))
  for (const der of authorities) hash.update(der)
  return hash.digest('base64url')
}
