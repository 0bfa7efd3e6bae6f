/** nsmesh.authority.v1.Authority: issues identities to nodes and their workloads, and tells nodes whom to trust. */
import { type authorityV1, type Call, trustDomainOf } from '../../api/index.ts'
import { type Clock, describeError, type Logger, NsmError } from '../../base/index.ts'
import { type Authority, type IssueOptions, isHostName, provenKey } from '../../identity/index.ts'
import { isNode, isWorkloadOf, nodeId, nodeNameOf } from '../../policy/index.ts'
import type { Handlers } from '../../rpc/index.ts'
import type { Invitations } from '../joining/invitations.ts'
import { decodeToken } from '../joining/token.ts'
import { isPlatformToken, type Platform } from '../platform/platform.ts'
import { changes } from '../trust/changes.ts'
import type { ConnectedNodes } from '../trust/connected-nodes.ts'
import type { NodeAddresses } from '../trust/node-addresses.ts'
import {
  admitAgain,
  admitNode,
  admitOfPlatform,
  checkMayJoinOfPlatform,
  checkNodeMayJoin,
  renewNode,
} from '../trust/nodes.ts'
import type { Trust } from '../trust/trust.ts'
import { trustParts } from '../trust/trust-parts.ts'

const MAX_DNS_NAMES = 4

export interface AuthorityOptions {
  readonly authority: Authority
  readonly trust: Trust
  readonly invitations: Invitations
  readonly nodes: NodeAddresses
  readonly connected: ConnectedNodes
  /** Absent where the records are on no disk of the registry. */
  readonly disk?: Disk | undefined
  /** Vouches for nodes that show its token in place of an invitation. */
  readonly platform?: Platform | undefined
  readonly clock: Clock
  readonly logger: Logger
}

export type AuthorityHandlers = Handlers<typeof authorityV1.AuthorityService>

export function authorityHandlers(options: AuthorityOptions): AuthorityHandlers {
  return {
    joinNode: (request, call) =>
      isPlatformToken(request.token) ? joinOfPlatform(options, request) : joinNode(options, request, call),
    renew: (request, call) => renew(options, request, call),
    issueWorkload: (request, call) => issueWorkload(options, request, call),
    watchTrust: (request, call) => watchTrust(options, request, call),
  }
}

/**
 * A node that did not get the answer, or could not use it, asks again with the same key, and gets another one.
 * Crash: the identity is issued before the token is used and given out after the node is stored, so whatever stops us
 * in between, a lost token has let nobody in; of several callers that show the same token one gets an answer.
 */
async function joinNode(
  options: AuthorityOptions,
  { token, csr }: authorityV1.JoinNodeRequest,
  { peer }: Call,
): Promise<authorityV1.IdentityResponse> {
  const { trust, invitations, connected, clock, logger } = options
  const { secret, domain, kind } = decodeToken(token)
  if (domain !== trust.domain || kind !== 'node') {
    throw new NsmError('permission_denied', 'Cannot join the domain: the token is not for a node of it', {
      fields: { domain, kind, wanted: trust.domain },
      next: 'make one here: nsmctl node invite <name>',
    })
  }
  const by = provenKey(csr, peer.chain)
  const invitation = await invitations.check(secret, 'node', by)
  const { guest: node, usedMs } = invitation
  connected.checkMayJoin(node)
  const nowMs = clock.nowMs() // no identity that it gets is older
  checkNodeMayJoin(trust.records.get('node', node), nowMs)
  const answer = await issue(options, { csr, spiffeId: nodeId(trust.domain, node), dnsNames: dnsNamesOf(node) })
  await invitations.use(invitation, by)
  if (usedMs === undefined) await admitNode(trust.records, node, nowMs)
  else await admitAgain(trust.records, { name: node, usedMs, nowMs })
  logger.info('A node joined', { node })
  return { ...answer, trust: firstPart(trust) }
}

/** A node that its platform vouches for asks like this for each of its identities: none outlives its machine for long. */
async function joinOfPlatform(
  options: AuthorityOptions,
  { token, csr }: authorityV1.JoinNodeRequest,
): Promise<authorityV1.IdentityResponse> {
  const { trust, platform, clock, logger } = options
  if (platform === undefined) {
    throw new NsmError('permission_denied', 'Cannot join the domain: nobody here vouches for nodes', {
      next: 'join with an invitation: nsmctl node invite <name>',
    })
  }
  const { name, uid } = await platform.nodeOf(token)
  const nowMs = clock.nowMs() // no identity that it gets is older
  checkMayJoinOfPlatform(trust.records.get('node', name), { uid, nowMs })
  const answer = await issue(options, { csr, spiffeId: nodeId(trust.domain, name), dnsNames: dnsNamesOf(name) })
  const isMember = await admitOfPlatform(trust.records, { name, uid, nowMs })
  if (!isMember) logger.info('A node joined: its platform vouches for it', { node: name })
  return { ...answer, trust: firstPart(trust) }
}

async function renew(
  options: AuthorityOptions,
  { csr }: authorityV1.RenewRequest,
  call: Call,
): Promise<authorityV1.IdentityResponse> {
  const { trust, clock } = options
  const { spiffeId, expiresMs = 0 } = call.peer
  const node = nodeOf(trust, spiffeId)
  await renewNode(trust.records, { name: node, expiresMs, nowMs: clock.nowMs() })
  return issue(options, { csr, spiffeId, dnsNames: dnsNamesOf(node) })
}

async function issueWorkload(
  options: AuthorityOptions,
  { csr, path, dnsNames }: authorityV1.IssueWorkloadRequest,
  call: Call,
): Promise<authorityV1.IdentityResponse> {
  const node = nodeOf(options.trust, call.peer.spiffeId)
  const spiffeId = `${call.peer.spiffeId}/${path}`
  if (!isWorkloadOf(spiffeId, call.peer.spiffeId)) refuseName('the path is empty', { path })
  // Only names of the node and below it: with a free choice it could pass for another node.
  const isBelow = (name: string) => name === node || name.endsWith(`.${node}`)
  if (dnsNames.length > MAX_DNS_NAMES || !dnsNames.every(isBelow)) {
    refuseName('its DNS names are not those of the node', { node, dnsNames: dnsNames.join(' ').slice(0, 256) })
  }
  await options.nodes.checkWorkload(spiffeId, call.peer.spiffeId)
  return issue(options, { csr, spiffeId, dnsNames })
}

/** Where the registry keeps its records. */
export interface Disk {
  /** Why the last write failed; empty where it did not. */
  readonly problem: string
  onProblem(listener: () => void): () => void
}

type WatchParts = Pick<AuthorityOptions, 'trust' | 'nodes' | 'connected' | 'disk' | 'logger'>

export async function* watchTrust(
  parts: WatchParts,
  run: authorityV1.WatchTrustRequest,
  call: Call,
): AsyncGenerator<authorityV1.TrustState> {
  const { trust, connected, disk } = parts
  const { spiffeId } = call.peer
  if (trustDomainOf(spiffeId) !== trust.domain) {
    throw new NsmError('permission_denied', 'Cannot watch the trust state: the caller belongs to another domain')
  }
  const node = nodeNameOf(spiffeId, trust.domain)
  const leave = node === undefined ? () => {} : await connected.enter(node, run)
  try {
    await announce(parts, run.url, spiffeId)
    const subscribe = (onChange: () => void) => {
      const ofNode = connected.subscribe((each) => each === node && onChange())
      const unsubscribe = [trust.subscribe(onChange), ofNode, disk?.onProblem(onChange) ?? (() => {})]
      return () => {
        for (const each of unsubscribe) each()
      }
    }
    for await (const _ of changes(subscribe, call.signal)) {
      const passing = {
        namesake: connected.namesakeOf(node ?? ''),
        aheadMs: BigInt(Math.round(call.saidAheadMs ?? 0)),
        diskProblem: disk?.problem ?? '',
      }
      for (const part of trustParts(trust.state())) yield { ...part, ...passing }
    }
  } finally {
    leave()
  }
}

/** Whom to trust a node hears all the same when its address cannot be used; its registrations are refused. */
async function announce({ nodes, logger }: WatchParts, url: string, spiffeId: string): Promise<void> {
  if (url === '') return
  await nodes.announce(spiffeId, url).catch((error: unknown) => {
    logger.warn('Cannot use the address of a node', { node: spiffeId, error: describeError(error) })
  })
}

function nodeOf(trust: Trust, spiffeId: string): string {
  const node = isNode(spiffeId, trust.domain) ? nodeNameOf(spiffeId, trust.domain) : undefined
  if (node !== undefined && !trust.isRevoked(spiffeId)) return node
  throw new NsmError('permission_denied', 'Cannot issue the identity: the caller is not a node of this domain', {
    fields: { caller: spiffeId },
    next: 'workloads get their identity from the Workload API of their node',
  })
}

/** A node may have a name that no host can have, such as "a..b". */
function dnsNamesOf(node: string): readonly string[] {
  return isHostName(node) ? [node] : []
}

async function issue(
  { authority, trust }: AuthorityOptions,
  request: IssueOptions,
): Promise<authorityV1.IdentityResponse> {
  const { spiffeId, chain } = await authority.issue(request)
  return { spiffeId, chain: chain.map((der) => Buffer.from(der)), trust: firstPart(trust) }
}

/** Enough to verify the identity. */
function firstPart(trust: Trust): authorityV1.TrustState | undefined {
  return trustParts(trust.state())[0]
}

function refuseName(state: string, fields: NsmError['fields']): never {
  throw new NsmError('invalid_argument', `Cannot issue the identity: ${state}`, { fields })
}
