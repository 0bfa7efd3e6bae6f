/** The rules by which other domains join, change and leave. Each is one change of one record. */
import { NsmError } from '../../base/index.ts'
import type { DomainRecord, Introduction } from '../store/trust-record.ts'
import { haveCommonAuthority } from './introduction.ts'
import type { TrustRecords } from './trust-records.ts'

/**
 * A domain joins, or joins again with an authority by which it is known.
 * @throws {NsmError} `already_exists` when another domain of that name has joined.
 */
export async function admitDomain(records: TrustRecords, introduction: Introduction, nowMs: number): Promise<void> {
  const name = introduction.domain
  await records.change('domain', name, (known) => {
    checkSameDomain(known, introduction)
    return { kind: 'domain', name, joinedMs: nowMs, exports: [], ...known, introduction }
  })
}

/** @throws {NsmError} `already_exists` when `known` is another domain of the same name. */
export function checkSameDomain(known: DomainRecord | undefined, introduction: Introduction): void {
  if (known === undefined || haveCommonAuthority(known.introduction, introduction)) return
  const { domain } = introduction
  throw new NsmError('already_exists', 'Cannot join the domain: another domain of that name has joined', {
    fields: { domain },
    next: `if the domain was set up anew, revoke the old one first: nsmctl domain revoke ${domain}`,
  })
}

/**
 * Takes a newer introduction of a joined domain; false when it is not newer.
 * INVARIANT: revisions only grow, so that nobody can bring back an authority that was given up.
 */
export async function updateDomain(records: TrustRecords, introduction: Introduction): Promise<boolean> {
  let isNewer = false
  await records.change('domain', introduction.domain, (known) => {
    isNewer = known !== undefined && introduction.revision > known.introduction.revision
    return known !== undefined && isNewer ? { ...known, introduction } : known
  })
  return isNewer
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
