/** Ends, at once, the wires of domains, services and nodes that are no longer trusted, and lets none of them begin. */
import { trustDomainOf } from '../../api/index.ts'
import { describeError, type Logger, NsmError } from '../../base/index.ts'
import type { ConnectionRecord, ConnectionTable } from '../../connections/index.ts'
import { mayRequest } from '../../policy/index.ts'
import type { NodeTrust } from '../trust/node-trust.ts'

interface TrustParts {
  readonly domain: string
  readonly trust: Pick<NodeTrust, 'bundles' | 'exports' | 'isRevoked'>
}

interface Parts extends TrustParts {
  readonly table: ConnectionTable
  readonly end: (id: string, reason: string) => Promise<void>
  readonly logger: Logger
}

export function endUntrusted(parts: Parts): void {
  for (const record of parts.table.all()) {
    const reason = whyUntrusted(record, parts)
    if (reason === undefined) continue
    parts.end(record.id, reason).catch((error: unknown) => {
      parts.logger.error('Cannot end a connection', { connection: record.id, error: describeError(error) })
    })
  }
}

/**
 * For {@link ConnectionTable}: a request that was under way when trust ended does not come to stand.
 * @throws {NsmError} `permission_denied`
 */
export function checkTrusted(parts: TrustParts): (record: ConnectionRecord) => void {
  return (record) => {
    const reason = whyUntrusted(record, parts)
    if (reason === undefined) return
    throw new NsmError('permission_denied', 'Cannot establish the wire: trust has ended meanwhile', {
      fields: { connection: record.id, reason },
    })
  }
}

function whyUntrusted({ identities, owner, connection }: ConnectionRecord, parts: TrustParts): string | undefined {
  const { trust, domain: ownDomain } = parts
  const bundles = trust.bundles()
  if (bundles.size === 0) return undefined // the authority has not said anything yet
  const stranger = identities.find((spiffeId) => !bundles.has(trustDomainOf(spiffeId)))
  if (stranger !== undefined) return `the domain of ${stranger} is not trusted`
  const expelled = identities.find((spiffeId) => trust.isRevoked(spiffeId))
  if (expelled !== undefined) return `${expelled} was expelled`
  const callerDomain = trustDomainOf(owner)
  const service = connection.networkService
  if (mayRequest({ callerDomain, ownDomain, service, exports: trust.exports() })) return undefined
  return `${service} is no longer exported to ${callerDomain}`
}
