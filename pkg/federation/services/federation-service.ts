/** nsmesh.domain.v1.Federation: the calls between the registries of two domains. */
import { type Call, type domainV1, trustDomainOf } from '../../api/index.ts'
import { type Clock, type Logger, NsmError } from '../../base/index.ts'
import { isRegistry } from '../../policy/index.ts'
import type { Handlers } from '../../rpc/index.ts'
import type { Invitations } from '../joining/invitations.ts'
import { joinsItself } from '../joining/join-domain.ts'
import { introductionFromProto, introductionToProto } from '../trust/introduction.ts'
import { admitDomain, checkSameDomain, removeDomain } from '../trust/joined-domains.ts'
import type { Trust } from '../trust/trust.ts'

export interface FederationOptions {
  readonly trust: Trust
  readonly invitations: Invitations
  readonly clock: Clock
  readonly logger: Logger
}

export type FederationHandlers = Handlers<typeof domainV1.FederationService>

export function federationHandlers(options: FederationOptions): FederationHandlers {
  return {
    accept: (request) => accept(options, request),
    watchBundle: (_, call) => watchBundle(options, call),
    leave: (_, call) => leave(options, call),
  }
}

/**
 * The caller holds the secret of an invitation: nothing else vouches for its introduction.
 * Crash: after the invitation is used the token is lost, and the domain has not joined.
 */
async function accept(
  { trust, invitations, clock, logger }: FederationOptions,
  { secret, introduction: message }: domainV1.AcceptRequest,
): Promise<domainV1.Introduction> {
  const invitation = await invitations.check(secret, 'domain')
  const introduction = introductionFromProto(message)
  const { domain, addresses } = introduction
  if (domain === trust.domain) throw joinsItself(domain)
  checkSameDomain(trust.joinedDomain(domain), introduction) // before the token is lost
  await invitations.use(invitation)
  await admitDomain(trust.records, introduction, clock.nowMs())
  logger.info('A domain joined', { domain, addresses: addresses.join(' ') })
  return introductionToProto(trust.introduction)
}

async function* watchBundle({ trust }: FederationOptions, call: Call): AsyncGenerator<domainV1.Introduction> {
  const domain = callingDomain(trust, call)
  let sentRevision = -1
  for await (const _ of trust.changes(call.signal)) {
    if (trust.joinedDomain(domain) === undefined) return
    if (trust.introduction.revision === sentRevision) continue
    sentRevision = trust.introduction.revision
    yield introductionToProto(trust.introduction)
  }
}

async function leave({ trust, logger }: FederationOptions, call: Call): Promise<Record<string, never>> {
  const domain = callingDomain(trust, call)
  await removeDomain(trust.records, domain)
  logger.warn('A domain revoked this one: nothing of it is trusted any more', { domain })
  return {}
}

/** Only its registry speaks for a domain. */
function callingDomain(trust: Trust, { peer: { spiffeId } }: Call): string {
  const domain = trustDomainOf(spiffeId)
  if (isRegistry(spiffeId, domain) && trust.joinedDomain(domain) !== undefined) return domain
  throw new NsmError(
    'permission_denied',
    'Cannot speak for the domain: the caller is not the registry of a joined one',
    {
      fields: { caller: spiffeId },
    },
  )
}
