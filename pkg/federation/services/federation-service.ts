/** nsmesh.domain.v1.Federation: the calls between the registries of two domains. */
import { isDeepStrictEqual } from 'node:util'
import { type Call, type domainV1, type Peer, trustDomainOf } from '../../api/index.ts'
import { type Clock, type Logger, NsmError } from '../../base/index.ts'
import { verifySvid } from '../../identity/index.ts'
import { isRegistry } from '../../policy/index.ts'
import type { Handlers } from '../../rpc/index.ts'
import type { Invitations } from '../joining/invitations.ts'
import { joinsItself } from '../joining/join-domain.ts'
import type { Introduction } from '../store/trust-record.ts'
import { fingerprint, introductionFromProto, introductionToProto } from '../trust/introduction.ts'
import { admitDomain, checkSameDomain, learnDomain, removeDomain, type Speaker } from '../trust/joined-domains.ts'
import type { Trust } from '../trust/trust.ts'

export interface FederationOptions {
  readonly trust: Trust
  readonly invitations: Invitations
  readonly clock: Clock
  readonly logger: Logger
}

export type FederationHandlers = Handlers<typeof domainV1.FederationService>

export function federationHandlers(options: FederationOptions): FederationHandlers {
  const domains = { ...options, calledMs: new Map<string, number>(), heard: new Map<string, number>() }
  return {
    accept: (request, call) => accept(domains, request, call),
    watchBundle: (request, call) => watchBundle(domains, request, call),
    leave: (_, call) => leave(options, call),
  }
}

/**
 * The caller holds the secret of an invitation, and shows an SVID of the authority that it introduces: so it has the key
 * of that authority's registry, and not only what is public about it. One that did not get the answer asks again, by the
 * same authority, and gets another one, unless it has called since, as only those do that got it, or has been revoked.
 * Crash: after the invitation is used the token is lost, and the domain has not joined.
 */
async function accept(
  { trust, invitations, calledMs, clock, logger }: FederationOptions & Called,
  { secret, introduction: message }: domainV1.AcceptRequest,
  { peer }: Call,
): Promise<domainV1.Introduction> {
  const nowMs = clock.nowMs()
  const invitation = await invitations.find(secret, 'domain')
  const introduction = introductionFromProto(message, trust.introductionRules(nowMs))
  const { domain, addresses, authorities } = introduction
  if (domain === trust.domain) throw joinsItself(domain)
  // All this before the token is lost.
  trust.checkMayFederate(domain)
  if (invitation.guest !== domain) throw isForAnother(domain)
  const speaker = speakerOf(peer, domain, nowMs)
  const by = authorities.find((authority) => speaker.isVouchedForBy([authority]))
  if (by === undefined) throw isUnproven(domain)
  checkSameDomain(trust.joinedDomain(domain), domain, speaker)
  const isAnswered = (calledMs.get(domain) ?? 0) >= (invitation.usedMs ?? Number.POSITIVE_INFINITY)
  await invitations.use(invitation, isAnswered ? undefined : fingerprint(by))
  await admitDomain(trust.records, introduction, { speaker, nowMs, isAgain: invitation.usedMs !== undefined })
  logger.info('A domain joined', { domain, addresses: addresses.join(' ') })
  return introductionToProto(trust.introduction)
}

/** The caller as its certificate shows it. TLS has proven that it has the key; nobody has verified who issued it. */
function speakerOf({ chain }: Peer, domain: string, nowMs: number): Speaker {
  return {
    isVouchedForBy(authorities) {
      try {
        return isRegistry(verifySvid(chain, new Map([[domain, authorities]]), nowMs).spiffeId.id, domain)
      } catch {
        return false
      }
    },
  }
}

function isForAnother(domain: string): NsmError {
  return new NsmError('permission_denied', 'Cannot join the domain: the token is for another domain', {
    fields: { domain },
    next: `ask its operator for one for yours: nsmctl domain invite ${domain}`,
  })
}

function isUnproven(domain: string): NsmError {
  return new NsmError(
    'permission_denied',
    'Cannot join the domain: the caller does not show that it is the registry of the domain that it introduces',
    { fields: { domain }, next: 'run nsmctl domain join on the host of that registry' },
  )
}

/** What a domain says of itself may be a write here: it is heard once in so long, however often it calls. */
const HEARD_MS = 1_000

interface Called {
  /** When each domain called last: it calls whom it knows by the answer to a token. */
  readonly calledMs: Map<string, number>
}

interface Heard {
  /** When each domain is heard last. */
  readonly heard: Map<string, number>
}

interface Said {
  readonly domain: string
  readonly message: domainV1.Introduction
}

async function hear(
  { trust, clock, logger, heard }: Omit<FederationOptions, 'invitations'> & Heard,
  { domain, message }: Said,
  signal: AbortSignal,
): Promise<void> {
  const beforeMs = clock.nowMs()
  const turnMs = Math.max(beforeMs, (heard.get(domain) ?? 0) + HEARD_MS)
  heard.set(domain, turnMs)
  if (turnMs > beforeMs) await clock.sleep(turnMs - beforeMs, signal)
  const nowMs = clock.nowMs()
  const introduction = introductionFromProto(message, trust.introductionRules(nowMs))
  if (!(await learnDomain(trust.records, { domain, introduction, nowMs }))) return
  logger.info('A domain calls from where it is now', { domain, addresses: introduction.addresses.join(' ') })
}

async function* watchBundle(
  { trust, calledMs, clock, logger, heard }: FederationOptions & Called & Heard,
  { introduction: message }: domainV1.WatchBundleRequest,
  call: Call,
): AsyncGenerator<domainV1.Introduction> {
  const domain = callingDomain(trust, call)
  calledMs.set(domain, clock.nowMs())
  if (message !== undefined) await hear({ trust, clock, logger, heard }, { domain, message }, call.signal)
  let sent: Introduction | undefined
  for await (const _ of trust.changes(call.signal)) {
    if (trust.joinedDomain(domain) === undefined) return
    const { introduction } = trust
    if (isDeepStrictEqual(introduction, sent)) continue
    sent = introduction
    yield introductionToProto(introduction)
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
