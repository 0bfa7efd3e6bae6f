import { type Clock, type Logger, within } from '../../base/index.ts'
import type { RegistryChannels } from '../registries/registry-channels.ts'
import { notJoined, removeDomain } from '../trust/joined-domains.ts'
import type { Trust } from '../trust/trust.ts'

const LEAVE_MS = 2_000

export interface RevokeOptions {
  readonly trust: Trust
  readonly channels: RegistryChannels
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Stops trusting a domain at once, and then notifies its registry, if that can be reached. The notification goes over a
 * channel of its own with the authorities from before, which are no longer trusted by then.
 *
 * Crash: if we die before the domain is notified, its calls to us fail, and its operator sees why.
 * @throws {NsmError} `not_found` when it has not joined.
 */
export async function revokeDomain(options: RevokeOptions, domain: string): Promise<void> {
  const { trust, channels, clock, logger } = options
  const joined = await trust.records.read('domain', domain)
  if (joined === undefined) throw notJoined(domain)
  const { addresses, authorities } = joined.introduction
  const bundles = new Map([...trust.bundles(), [domain, authorities]])
  await removeDomain(trust.records, domain)
  logger.warn('Revoked a domain: nothing of it is trusted any more', { domain })
  const channel = channels.member(addresses[0] ?? '', domain, bundles)
  within({ clock, ms: LEAVE_MS }, (signal) => channel.federation.leave({}, { signal }))
    .catch((error) => logger.info('The revoked domain did not confirm the revocation', { domain, error }))
    .finally(() => channel.close())
}
