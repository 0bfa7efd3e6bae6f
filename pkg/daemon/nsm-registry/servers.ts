import { dirname } from 'node:path'
import type { Runtime, Scope } from '../../base/index.ts'
import { JOINING_METHODS, LATE_METHODS, type Trust } from '../../federation/index.ts'
import type { IdentitySource } from '../../identity/index.ts'
import { callQuota, Health, type Server, type Service, serve } from '../../rpc/index.ts'
import { makePrivateDirectory } from '../../store/index.ts'

/** Nodes and other domains have each the quota of so many wires: a node may have thousands of endpoints to renew. */
const MEMBER_WIRES = 1000

export interface ServersOptions extends Runtime {
  readonly listenOn: string
  readonly adminSocket: string
  readonly identity: IdentitySource
  readonly trust: Trust
  readonly members: readonly Service[]
  readonly admin: readonly Service[]
}

/** Serves nodes, workloads and other registries over mTLS, and the operator on the admin socket. */
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
    security: {
      identity,
      anonymousMethods: JOINING_METHODS,
      lateMethods: LATE_METHODS,
      isRevoked,
      sendAuthorities: true,
    },
    services: [...options.members, health.service()],
    quota: callQuota(MEMBER_WIRES),
    clock,
    logger,
  })
  return scope.own(server)
}
