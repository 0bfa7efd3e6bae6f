/** The rules by which other domains join, change and leave. Each is one change of one record. */
import { isDeepStrictEqual } from 'node:util'
import { NsmError } from '../../base/index.ts'
import type { DomainRecord, Introduction } from '../store/trust-record.ts'
import { isPlausible } from './introduction.ts'
import type { TrustRecords } from './trust-records.ts'

/** Who introduces a domain. */
export interface Speaker {
  /** Whether the speaker has shown that it is the domain's registry, by the word of one of these authorities. */
  isVouchedForBy(authorities: readonly Uint8Array[]): boolean
}

export interface Admission {
  readonly speaker: Speaker
  readonly nowMs: number
  /** Whether it has joined with this token before, and did not get the answer. */
  readonly isAgain?: boolean
}

/**
 * A domain joins, or joins again. Of a domain that is known, the authorities stay as they are, and only its registry, by
 * the word of one of them, can change its addresses: a new introduction vouches for nothing that an old one has said.
 * INVARIANT: whatever is public about a domain, such as its certificates, admits nobody in its name.
 * @throws {NsmError} `already_exists` when the speaker is not the domain that has joined under that name,
 *   `failed_precondition` when it joins again with its token and is not joined any more, because it was revoked or the join was cut off.
 */
export async function admitDomain(
  records: TrustRecords,
  introduction: Introduction,
  { speaker, nowMs, isAgain = false }: Admission,
): Promise<void> {
  const name = introduction.domain
  await records.change('domain', name, (known) => {
    checkSameDomain(known, introduction.domain, speaker)
    if (known === undefined && isAgain) throw wasRevoked(name)
    if (known === undefined) return { kind: 'domain', name, joinedMs: nowMs, exports: [], introduction }
    // Whatever its registry says next counts, also when an earlier revision of it was wrong.
    return { ...known, introduction: { ...known.introduction, addresses: introduction.addresses, revision: 0 } }
  })
}

function wasRevoked(domain: string): NsmError {
  return new NsmError(
    'failed_precondition',
    'Cannot join the domain: the token was used, and the domain is not joined any more',
    {
      fields: { domain },
      next: `ask its operator for a new one: nsmctl domain invite ${domain}`,
    },
  )
}

/** @throws {NsmError} `already_exists` when `known` is another domain of the same name. */
export function checkSameDomain(known: DomainRecord | undefined, domain: string, speaker: Speaker): void {
  if (known === undefined || speaker.isVouchedForBy(known.introduction.authorities)) return
  throw new NsmError('already_exists', 'Cannot join the domain: another domain of that name has joined', {
    fields: { domain },
    next: `if the domain was set up anew, revoke the old one first: nsmctl domain revoke ${domain}`,
  })
}

/**
 * Takes a newer introduction of a joined domain from its own registry; false when it is not newer.
 * INVARIANT: revisions only grow, so that a replica which is behind does not bring back what was given up. One that lies
 * in the future counts for nothing. Which nodes are revoked has no revision: the newest word counts.
 */
export async function updateDomain(records: TrustRecords, introduction: Introduction, nowMs: number): Promise<boolean> {
  let isNewer = false
  await records.change('domain', introduction.domain, (known) => {
    if (known === undefined) return known
    const last = isPlausible(known.introduction.revision, nowMs) ? known.introduction.revision : 0
    isNewer = introduction.revision > last
    if (isNewer) return { ...known, introduction }
    const { revoked } = introduction
    if (isDeepStrictEqual(revoked, known.introduction.revoked)) return known
    return { ...known, introduction: { ...known.introduction, revoked } }
  })
  return isNewer
}

/**
 * The same, of what the registry of `domain` has said, which is about nobody else.
 * @throws {NsmError} `permission_denied`
 */
export async function learnDomain(
  records: TrustRecords,
  { domain, introduction, nowMs }: { domain: string; introduction: Introduction; nowMs: number },
): Promise<boolean> {
  if (introduction.domain === domain) return updateDomain(records, introduction, nowMs)
  throw new NsmError('permission_denied', 'Cannot follow the domain: its registry speaks for another one', {
    fields: { domain, found: introduction.domain },
  })
}

/**
 * Forgets a domain together with what is exported to it: from now on nothing of it is trusted.
 * @throws {NsmError} `not_found` when it has not joined.
 */
export async function removeDomain(records: TrustRecords, name: string): Promise<void> {
  await records.change('domain', name, (known) => {
    if (known === undefined) throw notJoined(name)
    return undefined
  })
}

export function notJoined(domain: string): NsmError {
  return new NsmError('not_found', 'Cannot find the domain: it has not joined', {
    fields: { domain: domain.slice(0, 64) },
    next: 'nsmctl domain list shows the domains that have joined; nsmctl domain join <token> joins another',
  })
}
