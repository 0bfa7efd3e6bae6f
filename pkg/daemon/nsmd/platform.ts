import type { Clock, Scope } from '../../base/index.ts'
import { clusterOf, type NsmdConfig, readTextFile } from '../../config/index.ts'
import { certificateOfPem } from '../../identity/index.ts'
import { httpsTransport, KubeClient, readPublished } from '../../kube/index.ts'
import type { NodePlatform } from '../../node/index.ts'
import { PUBLISHED_AUTHORITY } from '../published-authority.ts'

export interface PlatformOptions {
  readonly config: NsmdConfig
  readonly clock: Clock
}

/** Kubernetes, where it vouches for this node. */
export async function openPlatform(
  { config, clock }: PlatformOptions,
  scope: Scope,
): Promise<NodePlatform | undefined> {
  const { nodeTokenFile, namespace } = config
  if (nodeTokenFile === undefined) return undefined
  const client = scope.own(new KubeClient({ transport: httpsTransport(await clusterOf(config)), clock }))
  return {
    token: async () => readTextFile(nodeTokenFile),
    authority: async () => certificateOfPem((await readPublished({ client, namespace, ...PUBLISHED_AUTHORITY })) ?? ''),
  }
}
