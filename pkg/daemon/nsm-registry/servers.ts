import { dirname } from 'node:path'
import { authorityV1, domainV1 } from '../../api/index.ts'
import type { Scope } from '../../base/index.ts'
import type { Trust } from '../../federation/index.ts'
import type { IdentitySource } from '../../identity/index.ts'
import { Health, type Server, type Service, serve } from '../../rpc/index.ts'
import { makePrivateDirectory } from '../../store/index.ts'
import type { Surroundings } from '../run-program.ts'

/** Who comes to join has a token and no identity yet. */
const anonymousMethods: ReadonlySet<string> = new Set([
  authorityV1.AuthorityService.joinNode.path,
  domainV1.FederationService.accept.path,
])

export interface ServersOptions extends Surroundings {
  readonly listenOn: string
  readonly adminSocket: string
  readonly identity: IdentitySource
  readonly trust: Trust
  readonly members: readonly Service[]
  readonly admin: readonly Service[]
}

/** Serves members of this domain and other registries over mTLS, and the operator on the admin socket. */
export async function openServers(options: ServersOptions, scope: Scope): Promise<Server> {
  const { clock, logger, identity, trust, adminSocket } = options
  const health = new Health()
  health.set('', true)
  makePrivateDirectory(dirname(adminSocket))
  const admin = await serve({
    listen: `unix://${adminSocket}`,
    security: 'plaintext',
    services: [...options.admin, health.service()],
    clock,
    logger,
  })
  scope.own(admin)
  const isRevoked = (spiffeId: string) => trust.isRevoked(spiffeId)
  const server = await serve({
    listen: options.listenOn,
    security: { identity, anonymousMethods, isRevoked, sendAuthorities: true },
    services: [...options.members, health.service()],
    clock,
    logger,
  })
  return scope.own(server)
}
