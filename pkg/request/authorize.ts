/**
 * Who may ask for what. A caller is what its certificate proves and, on this machine, what the kernel says; what it
 * writes into a request counts for nothing.
 */
import { type Call, type Connection, trustDomainOf } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { type Exports, isNode, mayRequest } from '../policy/index.ts'
import type { Arrived, Incoming, PathTokens, Self } from './parts.ts'
import type { Step } from './step.ts'

export interface Authorized {
  /** SPIFFE IDs proven on the path, the client's first. */
  readonly identities: readonly string[]
}

export interface AuthorizeParts {
  readonly self: Self
  readonly tokens: PathTokens
  /** Our services that other domains may request, as of now. */
  exports(): Exports
}

export function authorize(parts: AuthorizeParts): Step<Incoming & Arrived, Authorized, Connection> {
  return async ({ connection, call }, next) => {
    checkCaller(parts.self, call)
    checkService(parts, connection.networkService, call)
    return next({ identities: await parts.tokens.verify(connection.path, call) })
  }
}

/** Workloads ask on this machine, where the kernel names them; over the network only nodes do. */
function checkCaller({ domain }: Self, { peer }: Call): void {
  const callerDomain = trustDomainOf(peer.spiffeId)
  const isAllowed = peer.attestation === undefined ? isNode(peer.spiffeId, callerDomain) : callerDomain === domain
  if (isAllowed) return
  throw new NsmError('permission_denied', 'Cannot accept the request: no sufficient privileges', {
    fields: { caller: peer.spiffeId },
    next: 'ask through the node daemon of your own machine',
  })
}

function checkService({ self, exports }: AuthorizeParts, service: string, { peer }: Call): void {
  const callerDomain = trustDomainOf(peer.spiffeId)
  const isOwn = callerDomain === self.domain
  if (isOwn || mayRequest({ callerDomain, ownDomain: self.domain, service, exports: exports() })) return
  throw new NsmError('permission_denied', 'Cannot request the network service: it is not exported to your domain', {
    fields: { networkService: service, domain: callerDomain },
    next: `ask the people of ${self.domain} to run: nsmctl domain export ${service} ${callerDomain}`,
  })
}
