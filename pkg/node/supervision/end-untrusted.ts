/**
 * Ends, at once, the wires of domains, services and nodes that are no longer trusted and those that the policy denies, and
 * lets none of them begin.
 */
import { trustDomainOf } from '../../api/index.ts'
import { describeError, type Logger, NsmError } from '../../base/index.ts'
import {
  type ConnectionRecord,
  type ConnectionTable,
  requestQuestion,
  routeQuestion,
  type Served,
  serveQuestion,
} from '../../connections/index.ts'
import { mayRequest, type Policy, type PolicySource } from '../../policy/index.ts'
import type { NodeTrust } from '../trust/node-trust.ts'

/** By what a wire is judged. */
export interface TrustParts {
  readonly domain: string
  readonly trust: Pick<NodeTrust, 'bundles' | 'exports' | 'exportConditions' | 'isRevoked'>
  readonly policy: PolicySource
  /** The endpoints of this node. */
  local(endpoint: string): Served | undefined
}

interface Parts extends TrustParts {
  readonly table: ConnectionTable
  readonly end: (id: string, reason: string) => Promise<void>
  readonly logger: Logger
}

export function endUntrusted(parts: Parts): void {
  for (const record of parts.table.all()) {
    const reason = whyNot(record, parts)
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
    const reason = whyNot(record, parts)
    if (reason === undefined) return
    throw new NsmError('permission_denied', 'Cannot establish the wire: trust has ended meanwhile', {
      fields: { connection: record.id, reason },
    })
  }
}

/** Why `policy` does not let the wire stand; undefined where it does. */
export function whyDenied(record: ConnectionRecord, policy: Policy, parts: TrustParts): string | undefined {
  const { domain, trust, local } = parts
  const serving = serveQuestion(record, local(record.target.endpoint))
  const standpoint = { domain, exports: trust.exports(), exportConditions: trust.exportConditions() }
  const routes = (record.allowedPrefixes ?? []).map((prefix) => routeQuestion(record, prefix))
  const questions = [requestQuestion(record, standpoint), ...(serving ? [serving] : []), ...routes]
  for (const question of questions) {
    const { isAllowed, rule, reason } = policy.decide(question)
    if (isAllowed) continue
    return `the policy denies to ${question.action} ${question.prefix ?? 'it'}: ${rule === '' ? reason : `${rule}: ${reason}`}`
  }
  return undefined
}

/** Why the wire may not stand; undefined where it may. */
function whyNot(record: ConnectionRecord, parts: TrustParts): string | undefined {
  if (parts.trust.bundles().size === 0) return undefined // the authority has not said anything yet
  return whyUntrusted(record, parts) ?? whyDenied(record, parts.policy.current(), parts)
}

function whyUntrusted({ identities, owner, connection }: ConnectionRecord, parts: TrustParts): string | undefined {
  const { trust, domain: ownDomain } = parts
  const bundles = trust.bundles()
  const stranger = identities.find((spiffeId) => !bundles.has(trustDomainOf(spiffeId)))
  if (stranger !== undefined) return `the domain of ${stranger} is not trusted`
  const expelled = identities.find((spiffeId) => trust.isRevoked(spiffeId))
  if (expelled !== undefined) return `${expelled} was expelled`
  const callerDomain = trustDomainOf(owner)
  const service = connection.networkService
  if (mayRequest({ callerDomain, ownDomain, service, exports: trust.exports() })) return undefined
  return `${service} is no longer exported to ${callerDomain}`
}
