/**
 * What a node makes of who asks. A caller is what its certificate proves and, on this machine, what the kernel says;
 * what it writes into a request counts for nothing.
 */
import { type Call, type Connection, trustDomainOf } from '../api/index.ts'
import { NsmError, qualifyName, type Step } from '../base/index.ts'
import { type Exports, isNode, mayRequest, nodeNameOf } from '../policy/index.ts'
import type { Arrived } from '../steps/index.ts'
import type { Self } from './parts.ts'

export interface AuthorizeParts {
  readonly self: Self
  /** Our services that other domains may request at this moment. */
  exports(): Exports
}

/** A node is never the first on a path: it acts for the client whose segment comes before its own. */
export const requireCaller: Step<Arrived, object, Connection> = async function requireCaller({ connection }, next) {
  if (connection.path.index > 0) return next({})
  throw new NsmError('invalid_argument', "Cannot accept the path: it lacks the caller's own segment", {
    next: 'send a path whose current segment is the client itself',
  })
}

export function authorize(parts: AuthorizeParts): Step<Arrived, object, Connection> {
  return async function authorize({ connection, call }, next) {
    checkCaller(parts.self, call)
    checkService(parts, connection.networkService, call)
    return next({})
  }
}

/** Tells services that choose endpoints by it on which node the client is, whatever the client says of it. */
export function addClientInfo({ self }: { self: Self }): Step<Arrived, Pick<Arrived, 'connection'>, Connection> {
  return async function addClientInfo({ connection, call }, next) {
    const labels = { ...connection.labels, nodeName: nodeOf(self, call) }
    return next({ connection: { ...connection, labels } })
  }
}

/** A node of another domain carries its name: one of ours may have the same. */
function nodeOf({ name, domain }: Self, { peer }: Call): string {
  if (peer.attestation !== undefined) return name
  const theirs = trustDomainOf(peer.spiffeId)
  return qualifyName(nodeNameOf(peer.spiffeId, theirs) ?? '', theirs === domain ? '' : theirs)
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
    next: `ask the operators of ${self.domain} to run: nsmctl domain export ${service} ${callerDomain}`,
  })
}
