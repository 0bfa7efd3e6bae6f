/** Who issues the identities of a domain: the authority in its registry, or another agent, such as SPIRE. */
import type { Runtime } from '../base/index.ts'
import type { Authority, IdentitySource, LocalSecret } from '../identity/index.ts'
import { workloadApiSource } from '../rpc/index.ts'
import { agentIdentity, authoritiesOf, checkRegistryId } from './agent-identity.ts'
import type { Invitations } from './joining/invitations.ts'
import type { Platform } from './platform/platform.ts'
import { registryIdentity } from './registry-identity.ts'
import { agentAuthorityHandlers } from './services/agent-authority.ts'
import { type AuthorityHandlers, authorityHandlers, type Disk } from './services/authority-service.ts'
import type { ConnectedNodes } from './trust/connected-nodes.ts'
import type { NodeAddresses } from './trust/node-addresses.ts'
import { LONGEST_SVID_MS } from './trust/nodes.ts'
import type { Trust } from './trust/trust.ts'

export interface Issuer {
  /** Whether nodes join with a token, for which they get their identity. */
  readonly invitesNodes: boolean
  /** How long an identity of this domain lives at most. */
  readonly longestIdentityMs: number
  /** Whether nothing of this domain is older than this start. */
  readonly isNew: boolean
  /** With which owners prove, after a loss of all records, what was theirs. */
  readonly claimsKey: Uint8Array
  /** DER certificates of the domain's authority at present, the one that issues first. */
  readonly authorities: readonly Uint8Array[]
  /** Of the registry itself. */
  identity(trust: Trust): Promise<IdentitySource>
  /** For the nodes. */
  handlers(members: Members): AuthorityHandlers
  /** To be called until `identity` has been. */
  close(): Promise<void>
}

interface Members {
  readonly trust: Trust
  readonly invitations: Invitations
  readonly nodes: NodeAddresses
  readonly connected: ConnectedNodes
  readonly disk: Disk | undefined
  readonly platform?: Platform | undefined
}

type IssuerRuntime = Omit<Runtime, 'signal'>

export interface EmbeddedOptions {
  readonly authority: Authority
  readonly isNew: boolean
}

export function embeddedIssuer({ authority, isNew }: EmbeddedOptions, runtime: IssuerRuntime): Issuer {
  return {
    longestIdentityMs: LONGEST_SVID_MS,
    isNew,
    claimsKey: authority.deriveKey('claims'),
    invitesNodes: true,
    authorities: [authority.certificate],
    identity: (trust) => registryIdentity({ authority, trust, ...runtime }),
    handlers: (members) => authorityHandlers({ ...members, authority, ...runtime }),
    close: async () => {},
  }
}

export interface AgentOptions {
  /** Of its Workload API. */
  readonly url: string
  readonly domain: string
  readonly secret: LocalSecret
}

/** Waits for the agent, and logs that it does. @throws {NsmError} `failed_precondition` when it says we are another */
export async function agentIssuer({ url, domain, secret }: AgentOptions, runtime: Runtime): Promise<Issuer> {
  const { clock, logger, signal } = runtime
  const agent = await workloadApiSource({ url, clock, logger, signal })
  try {
    checkRegistryId(agent, domain)
  } catch (error) {
    await agent.close()
    throw error
  }
  return {
    invitesNodes: false,
    longestIdentityMs: Number.POSITIVE_INFINITY, // it renews what we have revoked
    isNew: secret.isNew,
    claimsKey: secret.secret,
    authorities: authoritiesOf(agent.current(), { domain, clock }),
    identity: async (trust) => agentIdentity({ agent, trust, clock, logger }),
    handlers: ({ trust, nodes, connected, disk }) =>
      agentAuthorityHandlers({ trust, nodes, connected, disk, clock, logger }),
    close: () => agent.close(),
  }
}
