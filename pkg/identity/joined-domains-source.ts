/**
 * The identity that another agent issues, in a mesh of domains that join and leave. A domain is trusted while it has
 * joined; by which authorities, the agent says where it federates with that domain, and else the domain itself did.
 */
import { staticSource } from './static-source.ts'
import type { Bundles, Identity, IdentitySource } from './svid.ts'

/** Whom the domain trusts, as its registry says. */
export interface JoinedDomains {
  /** Of all domains that have joined. */
  bundles(): Bundles
  subscribe(listener: () => void): () => void
}

/** Closes `agent` when it is closed. */
export function joinedDomainsSource(agent: IdentitySource, joined: JoinedDomains): IdentitySource {
  const read = () => withJoined(agent.current(), joined.bundles())
  const source = staticSource(read())
  const update = () => source.replace(read())
  const unsubscribe = [agent.subscribe(update), joined.subscribe(update)]
  return {
    ...source,
    async close() {
      for (const stop of unsubscribe) stop()
      await source.close()
      await agent.close()
    },
  }
}

function withJoined({ svid, bundles }: Identity, joined: Bundles): Identity {
  const [, , own = ''] = svid.spiffeId.split('/')
  const others = [...joined].map(([domain, authorities]) => [domain, bundles.get(domain) ?? authorities] as const)
  return { svid, bundles: new Map([...others, [own, bundles.get(own) ?? []]]) }
}
