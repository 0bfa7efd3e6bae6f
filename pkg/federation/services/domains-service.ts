/** nsmesh.domain.v1.Domains: what an operator can do to a domain, on the registry's admin socket. */
import { type Call, type domainV1, timeFromProto, timeToProto } from '../../api/index.ts'
import { type Clock, type Logger, NsmError } from '../../base/index.ts'
import { nodeId } from '../../policy/index.ts'
import type { Handlers } from '../../rpc/index.ts'
import { fingerprint } from '../joining/introduction.ts'
import type { Invitations } from '../joining/invitations.ts'
import { joinDomain } from '../joining/join-domain.ts'
import { revokeDomain } from '../joining/revoke-domain.ts'
import { encodeToken, type JoinKind } from '../joining/token.ts'
import type { DomainLinks } from '../links/domain-links.ts'
import type { Channels } from '../links/registry-channels.ts'
import { EVERY_DOMAIN } from '../trust/exports.ts'
import { type JoinedDomain, notJoined } from '../trust/joined-domains.ts'
import type { Trust } from '../trust/trust.ts'

const DEFAULT_LIFETIME_MS = 3_600_000
/** A node's name is a segment of its SPIFFE ID and a DNS name in its certificate. */
const NODE_NAME = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/
const SERVICE_NAME = /^[A-Za-z0-9._-]{1,253}$/

export interface DomainsOptions {
  readonly trust: Trust
  readonly invitations: Invitations
  readonly channels: Channels
  readonly links: DomainLinks
  readonly clock: Clock
  readonly logger: Logger
  /** Called after a node was expelled, with its SPIFFE ID. */
  onExpelled(spiffeId: string): Promise<void>
}

export type DomainsHandlers = Handlers<typeof domainV1.DomainsService>

export function domainsHandlers(options: DomainsOptions): DomainsHandlers {
  return {
    invite: async ({ lifetime }) => invite(options, 'domain', { node: '', lifetime }),
    inviteNode: async ({ node, lifetime }) => invite(options, 'node', { node: checkNode(options, node), lifetime }),
    join: (request, call) => join(options, request, call),
    list: async () => list(options),
    revoke: async ({ name }) => revoke(options, name),
    export: async (request) => changeExport(options, request, 'add'),
    unexport: async (request) => changeExport(options, request, 'remove'),
    listNodes: async () => listNodes(options),
    revokeNode: ({ node }) => revokeNode(options, node),
  }
}

function invite(
  { trust, invitations }: DomainsOptions,
  kind: JoinKind,
  { node, lifetime }: domainV1.InviteNodeRequest,
): domainV1.Invitation {
  const { domain, addresses, authorities } = trust.introduction
  const lifetimeMs = lifetime === undefined ? DEFAULT_LIFETIME_MS : timeFromProto(lifetime)
  const { secret, expiresMs } = invitations.create(kind, node, lifetimeMs)
  const pin = fingerprint(authorities[0] ?? new Uint8Array())
  const token = encodeToken({ kind, domain, node, addresses, secret, fingerprint: pin, expiresMs })
  return { token, expires: timeToProto(expiresMs) }
}

async function join(options: DomainsOptions, { token }: domainV1.JoinRequest, call: Call): Promise<domainV1.Domain> {
  const domain = await joinDomain(options, token, call.signal)
  const joined = options.trust.domains.get(domain)
  if (joined === undefined) throw notJoined(domain) // revoked by the other side meanwhile
  return describe(options, joined)
}

function list(options: DomainsOptions): domainV1.ListResponse {
  const domains = options.trust.joined().map((joined) => describe(options, joined))
  return { ownName: options.trust.domain, domains }
}

function revoke(options: DomainsOptions, name: string): Record<string, never> {
  revokeDomain(options, name)
  return {}
}

function changeExport(
  { trust, logger }: DomainsOptions,
  { service, domain }: domainV1.ExportRequest,
  change: 'add' | 'remove',
): Record<string, never> {
  if (change === 'add') {
    if (!SERVICE_NAME.test(service)) {
      throw new NsmError('invalid_argument', 'Cannot export the service: that is no name of one', {
        fields: { service: service.slice(0, 64) },
        next: 'Name one service of this domain, without "@domain"; patterns are not understood.',
      })
    }
    if (domain !== EVERY_DOMAIN && !trust.isJoined(domain)) throw notJoined(domain)
  }
  trust.change(() => trust.exported[change](service, domain))
  logger.info('What other domains may use has changed', { change, networkService: service, domain })
  return {}
}

function listNodes({ trust }: DomainsOptions): domainV1.ListNodesResponse {
  const nodes = trust.nodes.all().map(({ name, joinedMs, renewedMs, revokedMs }) => ({
    name,
    spiffeId: nodeId(trust.domain, name),
    joined: timeToProto(joinedMs),
    renewed: timeToProto(renewedMs),
    revoked: revokedMs !== undefined,
  }))
  return { nodes }
}

async function revokeNode(
  { trust, clock, logger, onExpelled }: DomainsOptions,
  node: string,
): Promise<Record<string, never>> {
  trust.change(() => trust.nodes.revoke(node, clock.nowMs()))
  logger.warn('A node was expelled', { node })
  await onExpelled(nodeId(trust.domain, node))
  return {}
}

function describe({ trust, links }: DomainsOptions, { domain, addresses, joinedMs }: JoinedDomain): domainV1.Domain {
  return {
    name: domain,
    addresses: [...addresses],
    joined: timeToProto(joinedMs),
    exportedServices: [...(trust.exports().get(domain) ?? [])],
    problem: links.problemOf(domain),
  }
}

function checkNode({ trust, clock }: DomainsOptions, node: string): string {
  if (!NODE_NAME.test(node)) {
    throw new NsmError('invalid_argument', 'Cannot invite the node: its name is malformed', {
      fields: { node: node.slice(0, 64) },
      next: 'Use 1 to 63 lower-case letters, digits, ".", "_" or "-", with a letter or digit at both ends.',
    })
  }
  trust.nodes.checkMayJoin(node, clock.nowMs())
  return node
}
