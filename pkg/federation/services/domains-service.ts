/** nsmesh.domain.v1.Domains: what an operator can do to a domain, on the registry's admin socket. */
import { type Call, type domainV1, timeFromProto, timeToProto } from '../../api/index.ts'
import { type Clock, isDomainOrNodeName, type Logger, NsmError } from '../../base/index.ts'
import { nodeId } from '../../policy/index.ts'
import type { Handlers } from '../../rpc/index.ts'
import type { Invitations } from '../joining/invitations.ts'
import { joinDomain, joinsItself } from '../joining/join-domain.ts'
import { revokeDomain } from '../joining/revoke-domain.ts'
import { encodeToken } from '../joining/token.ts'
import type { JoinedRegistries } from '../registries/joined-registries.ts'
import type { RegistryChannels } from '../registries/registry-channels.ts'
import type { DomainRecord, JoinKind } from '../store/trust-record.ts'
import type { ConnectedNodes } from '../trust/connected-nodes.ts'
import { EVERY_DOMAIN, exportService, withdrawService } from '../trust/exports.ts'
import { fingerprint } from '../trust/introduction.ts'
import { notJoined } from '../trust/joined-domains.ts'
import { checkNodeMayJoin, revokeNode } from '../trust/nodes.ts'
import type { Trust } from '../trust/trust.ts'
import { issuesNoIdentities } from './agent-authority.ts'

const DEFAULT_LIFETIME_MS = 3_600_000

export interface DomainsOptions {
  readonly trust: Trust
  readonly invitations: Invitations
  readonly channels: RegistryChannels
  readonly registries: JoinedRegistries
  readonly connected: ConnectedNodes
  readonly clock: Clock
  readonly logger: Logger
  /** False where another agent issues the identities of nodes; true unless told. */
  readonly invitesNodes?: boolean
  /** Called after a node was revoked, with its SPIFFE ID. */
  onRevoked(spiffeId: string): Promise<void>
}

export type DomainsHandlers = Handlers<typeof domainV1.DomainsService>

export function domainsHandlers(options: DomainsOptions): DomainsHandlers {
  return {
    invite: async ({ domain, lifetime }) =>
      invite(options, 'domain', { guest: checkDomain(options, domain), lifetime }),
    inviteNode: async ({ node, lifetime }) => invite(options, 'node', { guest: checkNode(options, node), lifetime }),
    join: (request, call) => join(options, request, call),
    list: async () => list(options),
    revoke: async ({ name }) => done(revokeDomain(options, name)),
    export: (request) => changeExport(options, request, 'export'),
    unexport: (request) => changeExport(options, request, 'withdraw'),
    listNodes: async () => listNodes(options),
    revokeNode: ({ node }) => revoke(options, node),
  }
}

async function invite(
  { trust, invitations }: DomainsOptions,
  kind: JoinKind,
  { guest, lifetime }: { readonly guest: string; readonly lifetime: domainV1.InviteRequest['lifetime'] },
): Promise<domainV1.Invitation> {
  const { domain, addresses, authorities } = trust.introduction
  const lifetimeMs = lifetime === undefined ? DEFAULT_LIFETIME_MS : timeFromProto(lifetime)
  const { secret, expiresMs } = await invitations.create(kind, guest, lifetimeMs)
  const pin = fingerprint(authorities[0] ?? new Uint8Array())
  const token = encodeToken({ kind, domain, guest, addresses, secret, fingerprint: pin, expiresMs })
  return { token, expires: timeToProto(expiresMs) }
}

async function join(options: DomainsOptions, { token }: domainV1.JoinRequest, call: Call): Promise<domainV1.Domain> {
  const domain = await joinDomain(options, token, call.signal)
  const joined = options.trust.joinedDomain(domain)
  if (joined === undefined) throw notJoined(domain) // the other side has revoked it already
  return describe(options, joined)
}

function list(options: DomainsOptions): domainV1.ListResponse {
  const domains = options.trust.joined().map((joined) => describe(options, joined))
  return { ownName: options.trust.domain, domains }
}

async function changeExport(
  { trust, logger }: DomainsOptions,
  { service, domain, when }: domainV1.ExportRequest,
  change: 'export' | 'withdraw',
): Promise<Record<string, never>> {
  if (change === 'export' && domain !== EVERY_DOMAIN) trust.checkMayFederate(domain, service)
  if (change === 'export') await exportService(trust.records, { service, domain, when })
  else await withdrawService(trust.records, { service, domain })
  logger.info('Changed the exports to other domains', { change, networkService: service, domain })
  return {}
}

function listNodes({ trust, connected }: DomainsOptions): domainV1.ListNodesResponse {
  const nodes = trust.records.all('node').map(({ name, joinedMs, renewedMs, revokedMs, url }) => ({
    name,
    spiffeId: nodeId(trust.domain, name),
    joined: timeToProto(joinedMs),
    renewed: timeToProto(renewedMs),
    revoked: revokedMs !== undefined,
    url,
    namesake: connected.namesakeOf(name),
  }))
  return { nodes }
}

/** Crash: after the node is revoked nothing of it is trusted; the command can be repeated to remove what it registered. */
async function revoke(
  { trust, clock, logger, onRevoked }: DomainsOptions,
  node: string,
): Promise<Record<string, never>> {
  await revokeNode(trust.records, node, clock.nowMs())
  logger.warn('Revoked a node: nothing of it is trusted any more', { node })
  await onRevoked(nodeId(trust.domain, node))
  return {}
}

function describe({ trust, registries }: DomainsOptions, joined: DomainRecord): domainV1.Domain {
  const { name, introduction, joinedMs } = joined
  return {
    name,
    addresses: [...introduction.addresses],
    joined: timeToProto(joinedMs),
    exportedServices: [...(trust.exports().get(name) ?? [])],
    exportedWhen: trust.exportsTo(name).exportedWhen,
    problem: registries.problemOf(name),
  }
}

function checkDomain({ trust }: DomainsOptions, domain: string): string {
  if (domain === trust.domain) throw joinsItself(domain)
  if (isDomainOrNodeName(domain)) return domain
  throw new NsmError('invalid_argument', 'Cannot invite the domain: its name is missing or malformed', {
    fields: { domain: domain.slice(0, 64) },
    next: 'name the domain that may join, as its registry has it in NSM_DOMAIN: nsmctl domain invite <name>',
  })
}

function checkNode({ trust, clock, invitesNodes = true }: DomainsOptions, node: string): string {
  if (!invitesNodes) throw issuesNoIdentities()
  if (!isDomainOrNodeName(node)) {
    throw new NsmError('invalid_argument', 'Cannot invite the node: its name is malformed', {
      fields: { node: node.slice(0, 64) },
      next: 'use 1 to 63 lower-case letters, digits, ".", "_" or "-", with a letter or digit at both ends',
    })
  }
  checkNodeMayJoin(trust.records.get('node', node), clock.nowMs())
  return node
}

async function done(work: Promise<void>): Promise<Record<string, never>> {
  await work
  return {}
}
