/** nsmesh.domain.v1.Federation: what the registries of two domains say to each other. */
import { type Call, type domainV1, trustDomainOf } from '../../api/index.ts'
import { type Clock, type Logger, NsmError } from '../../base/index.ts'
import { isRegistry } from '../../policy/index.ts'
import type { Handlers } from '../../rpc/index.ts'
import { readIntroduction, writeIntroduction } from '../joining/introduction.ts'
import type { Invitations } from '../joining/invitations.ts'
import { leaveDomain } from '../joining/leave-domain.ts'
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
    accept: async (request) => accept(options, request),
    watchBundle: (_, call) => watchBundle(options, call),
    leave: async (_, call) => leave(options, call),
  }
}

/** The caller is who holds the secret that our operator gave away: that is all that vouches for its introduction. */
function accept(
  { trust, invitations, clock, logger }: FederationOptions,
  { secret, introduction: message }: domainV1.AcceptRequest,
): domainV1.Introduction {
  const invitation = invitations.check(secret, 'domain')
  const introduction = readIntroduction(message)
  if (introduction.domain === trust.domain) throw joinsItself(trust.domain)
  trust.change(() => {
    invitations.use(invitation)
    trust.domains.join(introduction, clock.nowMs())
  })
  logger.info('A domain joined', { domain: introduction.domain, addresses: introduction.addresses.join(' ') })
  return writeIntroduction(trust.introduction)
}

async function* watchBundle({ trust }: FederationOptions, call: Call): AsyncGenerator<domainV1.Introduction> {
  const domain = callingDomain(trust, call)
  let toldRevision = -1
  for await (const _ of trust.changes(call.signal)) {
    if (!trust.isJoined(domain)) return
    if (trust.introduction.revision === toldRevision) continue
    toldRevision = trust.introduction.revision
    yield writeIntroduction(trust.introduction)
  }
}

function leave({ trust, logger }: FederationOptions, call: Call): Record<string, never> {
  const domain = callingDomain(trust, call)
  leaveDomain(trust, domain)
  logger.warn('A domain has revoked this one: nothing of it is trusted any more', { domain })
  return {}
}

/** Only a registry speaks for its domain. */
function callingDomain(trust: Trust, { peer: { spiffeId } }: Call): string {
  const domain = trustDomainOf(spiffeId)
  if (isRegistry(spiffeId, domain) && trust.isJoined(domain)) return domain
  throw new NsmError('permission_denied', 'Cannot talk about domains: the caller is not the registry of a joined one', {
    fields: { caller: spiffeId },
  })
}

export function joinsItself(domain: string): NsmError {
  return new NsmError('invalid_argument', 'Cannot join: a domain cannot join itself', {
    fields: { domain },
    next: 'Run nsmctl domain join on the registry of the other domain. Two domains need two names (NSM_DOMAIN).',
  })
}
