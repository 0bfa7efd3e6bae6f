import { type Logger, withTimeout } from '../../base/index.ts'
import type { Channels } from '../links/registry-channels.ts'
import { notJoined } from '../trust/joined-domains.ts'
import type { Trust } from '../trust/trust.ts'
import { leaveDomain } from './leave-domain.ts'

const LEAVE_MS = 2_000

export interface RevokeOptions {
  readonly trust: Trust
  readonly channels: Channels
  readonly logger: Logger
}

/**
 * Forgets a domain at once, and then tells it so, if it can be reached. Telling needs the trust that is gone by then,
 * so that it goes over a channel of its own with the authorities of before.
 * @throws {NsmError} `not_found` when it has not joined.
 */
export function revokeDomain({ trust, channels, logger }: RevokeOptions, domain: string): void {
  const joined = trust.domains.get(domain)
  if (joined === undefined) throw notJoined(domain)
  const bundles = trust.bundles()
  leaveDomain(trust, domain)
  logger.warn('A domain was revoked: nothing of it is trusted any more', { domain })
  const channel = channels.member(joined.addresses[0] ?? '', domain, bundles)
  channel.federation
    .leave({}, { signal: withTimeout(undefined, LEAVE_MS) })
    .catch((error) => logger.info('The revoked domain did not confirm that it heard of it', { domain, error }))
    .finally(() => channel.close())
}
