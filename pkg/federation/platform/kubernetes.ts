/**
 * Kubernetes as the platform of a domain's nodes.
 *
 * A node daemon shows the token of its service account that the kubelet projects for it: for one audience, bound to the
 * pod, and with the name of the node in it. The API server says whether it is good, and that it has not been revoked by the
 * end of the pod. The daemon cannot choose any of this: a token that `kubectl create token` makes names no node.
 */
import { isDomainOrNodeName, NsmError } from '../../base/index.ts'
import { type KubeClient, type KubeObject, type Resource, unlessOutdated } from '../../kube/index.ts'
import type { Platform, PlatformNode } from './platform.ts'

export const NODE_TOKEN_AUDIENCE = 'nsmesh'
const MAX_TOKEN_CHARS = 16 * 1024
/** What a label of a name consists of: nothing that means something in a field selector. */
const OBJECT_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/
const ENDED = 'status.phase!=Succeeded,status.phase!=Failed'

interface TokenReview extends KubeObject {
  readonly spec: { readonly token: string; readonly audiences: readonly string[] }
  readonly status?: {
    readonly authenticated?: boolean
    readonly audiences?: readonly string[]
    readonly error?: string
    readonly user?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> }
  }
}

interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string }
  readonly status?: { readonly phase?: string }
}

const tokenReviews: Resource<TokenReview> = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  isNamespaced: false,
}

const pods: Resource<Pod> = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', isNamespaced: true }

export interface KubernetesPlatformOptions {
  readonly client: KubeClient
  /** Where the node daemons run. */
  readonly namespace: string
  /** Under which they run. */
  readonly serviceAccount: string
}

export function kubernetesPlatform({ client, namespace, serviceAccount }: KubernetesPlatformOptions): Platform {
  const account = `system:serviceaccount:${namespace}:${serviceAccount}`
  return {
    async nodeOf(token) {
      const claims = await review(client, token.trim(), account)
      const pod = await unlessOutdated(client.get(pods, { namespace, name: claims.podName }))
      const isThere = pod?.metadata.uid === claims.podUid && pod.spec?.nodeName === claims.node.name
      if (!isThere || ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '')) refuse('its pod is no longer there')
      if (!isDomainOrNodeName(claims.node.name)) refuse('the name of its node is longer than 63 characters')
      return claims.node
    },
    async checkWorkload(node, path) {
      const [kind, podNamespace = '', sa, name = '', ...rest] = path.split('/')
      if (kind === 'uid') return
      const isPath = kind === 'ns' && sa === 'sa' && rest.length === 0
      if (!isPath || ![node, podNamespace, name].every((part) => OBJECT_NAME.test(part))) {
        throw noSuchPod(node, path)
      }
      const fieldSelector = `spec.nodeName=${node},spec.serviceAccountName=${name},${ENDED}`
      for await (const { items } of client.pages(pods, { namespace: podNamespace, fieldSelector, limit: 1 })) {
        if (items.length > 0) return
      }
      throw noSuchPod(node, path)
    },
  }
}

interface Claims {
  readonly node: PlatformNode
  readonly podName: string
  readonly podUid: string
}

async function review(client: KubeClient, token: string, account: string): Promise<Claims> {
  if (token.length > MAX_TOKEN_CHARS) refuse('it is too long')
  const spec = { token, audiences: [NODE_TOKEN_AUDIENCE] }
  const { status = {} } = await client.create(tokenReviews, { metadata: { name: '' }, spec })
  const { authenticated, audiences = [], error, user } = status
  if (authenticated !== true || !audiences.includes(NODE_TOKEN_AUDIENCE))
    refuse('the API server does not accept it', error)
  if (user?.username !== account) refuse('it is of another service account', user?.username)
  const said = (name: string) =>
    user.extra?.[`authentication.kubernetes.io/${name}`]?.[0] ?? refuse(`it has no ${name}`)
  return {
    node: { name: said('node-name'), uid: said('node-uid') },
    podName: said('pod-name'),
    podUid: said('pod-uid'),
  }
}

function refuse(state: string, says?: string): never {
  throw new NsmError('permission_denied', `Cannot join the domain: the token proves no node, ${state}`, {
    fields: { says: says?.slice(0, 256) },
    next: 'run nsmd as a pod of its DaemonSet, with the projected token of the manifests',
  })
}

function noSuchPod(node: string, path: string): NsmError {
  return new NsmError('permission_denied', 'Cannot speak for the workload: no pod of it runs on the node', {
    fields: { node, workload: path.slice(0, 256) },
  })
}
