import { type Clock, type Logger, NsmError, withTimeout } from '../../base/index.ts'
import type { Channels } from '../links/registry-channels.ts'
import { joinsItself } from '../services/federation-service.ts'
import type { Trust } from '../trust/trust.ts'
import { fingerprint, type Introduction, readIntroduction, writeIntroduction } from './introduction.ts'
import { decodeToken, type JoinToken } from './token.ts'

const ACCEPT_MS = 5_000

export interface JoinOptions {
  readonly trust: Trust
  readonly channels: Channels
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Joins the domain that made the token: shows it the secret and our authority, and keeps what it answers, provided
 * that it is the one whose fingerprint the token carries.
 *
 * Crash: when we die between its answer and our keeping of it, it knows us and we do not know it. A new token mends
 * that: who joins again with a known authority is taken back.
 * @throws {NsmError} saying what is wrong with the token, or why the other registry refuses or cannot be reached.
 */
export async function joinDomain(options: JoinOptions, text: string, signal: AbortSignal): Promise<string> {
  const { trust, clock, logger } = options
  const token = decodeToken(text)
  checkToken(token, trust, clock.nowMs())
  const introduction = await introduce(options, token, signal)
  trust.change(() => trust.domains.join(introduction, clock.nowMs()))
  logger.info('Joined a domain', { domain: token.domain, addresses: introduction.addresses.join(' ') })
  return token.domain
}

function checkToken({ kind, domain, expiresMs }: JoinToken, trust: Trust, nowMs: number): void {
  if (kind !== 'domain') {
    throw new NsmError('invalid_argument', 'Cannot join: the token is for a node', {
      next: `Give it to the node (NSM_JOIN_TOKEN_FILE); domains join with one of nsmctl domain invite.`,
    })
  }
  if (domain === trust.domain) throw joinsItself(domain)
  if (expiresMs <= nowMs) {
    throw new NsmError('failed_precondition', 'Cannot join: the token has expired', {
      fields: { domain, expired: new Date(expiresMs).toISOString() },
      next: `Make a new one in ${domain}: nsmctl domain invite.`,
    })
  }
}

/** Tries the addresses of the token until a registry answers, whatever it says. */
async function introduce(options: JoinOptions, token: JoinToken, signal: AbortSignal): Promise<Introduction> {
  const failures: unknown[] = []
  for (const address of token.addresses) {
    try {
      return await introduceAt(address, options, { token, signal })
    } catch (error) {
      if (!(error instanceof NsmError) || !['unavailable', 'deadline_exceeded'].includes(error.code)) throw error
      failures.push(error)
    }
  }
  throw new NsmError('unavailable', 'Cannot join: the other registry does not answer', {
    cause: new AggregateError(failures),
    fields: { domain: token.domain, addresses: token.addresses.join(' ') },
    next: 'Check that its NSM_ADVERTISE address and port can be reached from here; the token is still good.',
  })
}

async function introduceAt(
  address: string,
  { trust, channels }: JoinOptions,
  { token, signal }: { readonly token: JoinToken; readonly signal: AbortSignal },
): Promise<Introduction> {
  const channel = channels.pinned(address, token.domain, token.fingerprint)
  try {
    const request = { secret: token.secret, introduction: writeIntroduction(trust.introduction) }
    const answer = await channel.federation.accept(request, { signal: withTimeout(signal, ACCEPT_MS) })
    const introduction = readIntroduction(answer)
    const isPinned = introduction.authorities.some((certificate) => fingerprint(certificate) === token.fingerprint)
    if (introduction.domain === token.domain && isPinned) return introduction
  } finally {
    await channel.close()
  }
  throw new NsmError('permission_denied', 'Cannot join: the other registry is not the one that made the token', {
    fields: { domain: token.domain, address },
    next: `Ask the operator of ${token.domain} for a new token, and how to reach its registry.`,
  })
}
