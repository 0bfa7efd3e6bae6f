/** The registry's identity where another agent, such as SPIRE, issues it. */
import { type Clock, describeError, type Logger, NsmError } from '../base/index.ts'
import { type Identity, type IdentitySource, joinedDomainsSource, verifySvid } from '../identity/index.ts'
import { isRegistry, registryId } from '../policy/index.ts'
import type { Trust } from './trust/trust.ts'

/** @throws {NsmError} `failed_precondition` when the agent says that this is no registry of `domain` */
export function checkRegistryId(agent: IdentitySource, domain: string): void {
  const { spiffeId } = agent.current().svid
  if (isRegistry(spiffeId, domain)) return
  throw new NsmError('failed_precondition', 'Cannot use the identity: it is not that of the registry', {
    fields: { spiffeId, wanted: registryId(domain) },
    next: `register ${registryId(domain)} with the agent, for the user that nsm-registry runs as`,
  })
}

/** The domain's authorities as the agent has them, the one that issued our own SVID first: invitations pin that one. */
export function authoritiesOf({ svid, bundles }: Identity, { domain, clock }: { domain: string; clock: Clock }) {
  const issues = (authority: Uint8Array): boolean => {
    try {
      verifySvid(svid.chain, new Map([[domain, [authority]]]), clock.nowMs())
      return true
    } catch {
      return false
    }
  }
  const authorities = bundles.get(domain) ?? []
  return [...authorities].sort((a, b) => Number(issues(b)) - Number(issues(a)))
}

export interface AgentIdentityOptions {
  /** Closed with the identity. */
  readonly agent: IdentitySource
  readonly trust: Trust
  readonly clock: Clock
  readonly logger: Logger
}

/** Keeps `trust` up to date with the authorities that the agent says. */
export function agentIdentity({ agent, trust, clock, logger }: AgentIdentityOptions): IdentitySource {
  let updating = Promise.resolve()
  const unsubscribe = agent.subscribe((identity) => {
    const authorities = authoritiesOf(identity, { domain: trust.domain, clock })
    updating = updating
      .then(() => trust.setAuthorities(authorities))
      .catch((error: unknown) =>
        logger.error('Cannot tell nodes and other domains of the new authorities', { error: describeError(error) }),
      )
  })
  const source = joinedDomainsSource(agent, trust)
  return {
    ...source,
    async close() {
      unsubscribe()
      await updating
      await source.close()
    },
  }
}
