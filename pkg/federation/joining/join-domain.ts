import { type Clock, isAway, type Logger, NsmError, within } from '../../base/index.ts'
import { EVERY_NODE } from '../../policy/index.ts'
import type { RegistryChannels } from '../registries/registry-channels.ts'
import type { Introduction } from '../store/trust-record.ts'
import { fingerprint, hasAuthority, introductionFromProto, introductionToProto } from '../trust/introduction.ts'
import { admitDomain, checkSameDomain, type Speaker } from '../trust/joined-domains.ts'
import type { Trust } from '../trust/trust.ts'
import { decodeToken, type JoinToken } from './token.ts'

const ACCEPT_MS = 5_000

export interface JoinOptions {
  readonly trust: Trust
  readonly channels: RegistryChannels
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Joins the domain that made the token: shows its registry the secret and, by our own SVID, that we speak for our
 * domain, and stores its introduction, provided that its authority is the one whose fingerprint the token carries.
 *
 * Crash: if we die before its answer is stored, it knows us and we do not know it. To join again with the same token
 * repairs that.
 * @throws {NsmError} what is wrong with the token, why the other registry refuses, or that it cannot be reached.
 */
export async function joinDomain(options: JoinOptions, text: string, signal: AbortSignal): Promise<string> {
  const { trust, clock, logger } = options
  const token = decodeToken(text)
  checkToken(token, trust)
  trust.checkMayFederate(token.domain)
  const introduction = await introduce(options, token, signal)
  await admitDomain(trust.records, introduction, { speaker: pinnedBy(token), nowMs: clock.nowMs() })
  logger.info('Joined a domain', { domain: token.domain, addresses: introduction.addresses.join(' ') })
  return token.domain
}

export function joinsItself(domain: string): NsmError {
  return new NsmError('invalid_argument', 'Cannot join the domain: it is this one', {
    fields: { domain },
    next: 'run nsmctl domain join on the registry of the other domain; two domains need two names (NSM_DOMAIN)',
  })
}

/** Who answers was verified by the authority that the token pins. */
function pinnedBy({ fingerprint: pin }: JoinToken): Speaker {
  return { isVouchedForBy: (authorities) => authorities.some((certificate) => fingerprint(certificate) === pin) }
}

/** Whether it has expired says the registry that made it: our clock may be another. */
function checkToken(token: JoinToken, trust: Trust): void {
  const { kind, domain, guest } = token
  if (kind !== 'domain') {
    throw new NsmError('invalid_argument', 'Cannot join the domain: the token is for a node', {
      next: 'give it to the node (NSM_JOIN_TOKEN_FILE); domains join with a token of nsmctl domain invite',
    })
  }
  if (domain === trust.domain) throw joinsItself(domain)
  if (guest !== trust.domain) {
    throw new NsmError('permission_denied', 'Cannot join the domain: the token is for another domain', {
      fields: { domain, guest, own: trust.domain },
      next: `ask the operator of ${domain} for one for this domain: nsmctl domain invite ${trust.domain}`,
    })
  }
  checkSameDomain(trust.joinedDomain(domain), domain, pinnedBy(token)) // before the token is lost
}

/** Tries the addresses of the token until a registry answers, whatever the answer is. */
async function introduce(options: JoinOptions, token: JoinToken, signal: AbortSignal): Promise<Introduction> {
  const failures: unknown[] = []
  for (const address of token.addresses) {
    try {
      return await introduceAt(address, options, { token, signal })
    } catch (error) {
      if (!isAway(error)) throw error
      failures.push(error)
    }
  }
  throw new NsmError('unavailable', 'Cannot join the domain: its registry does not answer', {
    cause: new AggregateError(failures),
    fields: { domain: token.domain, addresses: token.addresses.join(' ') },
    next: 'check that its NSM_ADVERTISE address and port can be reached from here; the token is still good',
  })
}

/**
 * A stranger may say little. Which nodes are revoked comes with the first message of the watch; until then, if there are
 * any, none is trusted.
 */
function briefly(introduction: Introduction): Introduction {
  return { ...introduction, revoked: introduction.revoked.length === 0 ? [] : [EVERY_NODE] }
}

async function introduceAt(
  address: string,
  { trust, channels, clock }: JoinOptions,
  { token, signal }: { readonly token: JoinToken; readonly signal: AbortSignal },
): Promise<Introduction> {
  const channel = channels.pinned(address, token.domain, token.fingerprint)
  try {
    const request = { secret: token.secret, introduction: introductionToProto(briefly(trust.introduction)) }
    const accept = (signal: AbortSignal) => channel.federation.accept(request, { signal })
    const answer = await within({ clock, ms: ACCEPT_MS, signal }, accept)
    const introduction = introductionFromProto(answer, trust.introductionRules(clock.nowMs()))
    if (introduction.domain === token.domain && hasAuthority(introduction, token.fingerprint)) return introduction
  } finally {
    await channel.close()
  }
  throw new NsmError(
    'permission_denied',
    'Cannot join the domain: the registry at its address did not make the token',
    {
      fields: { domain: token.domain, address },
      next: `ask the operator of ${token.domain} for a new token and for the address of its registry`,
    },
  )
}
