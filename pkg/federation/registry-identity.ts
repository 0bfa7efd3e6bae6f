import type { Clock, Logger } from '../base/index.ts'
import { type Authority, type IdentitySource, issueIdentity, renewingSource } from '../identity/index.ts'
import { registryId } from '../policy/index.ts'
import type { Trust } from './trust/trust.ts'

export interface RegistryIdentityOptions {
  readonly authority: Authority
  readonly trust: Trust
  readonly clock: Clock
  readonly logger: Logger
}

/** The registry's own identity, issued by the authority in its own process. Its bundles follow `trust`. */
export async function registryIdentity(options: RegistryIdentityOptions): Promise<IdentitySource> {
  const { authority, trust, clock, logger } = options
  const names = { spiffeId: registryId(trust.domain), dnsNames: ['registry'] }
  const obtain = () => issueIdentity(authority, { ...names, bundles: trust.bundles() })
  const source = await renewingSource({ obtain, clock, logger })
  const unsubscribe = trust.subscribe(() => source.setBundles(trust.bundles()))
  return {
    ...source,
    async close() {
      unsubscribe()
      await source.close()
    },
  }
}
