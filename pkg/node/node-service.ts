/** nsmesh.node.v1: what this node does, for its operators. */
import { nodeV1, type Peer } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { PolicySource } from '../policy/index.ts'
import { implement, type Service } from '../rpc/index.ts'
import { diffToProto, explanationToProto, questionFromProto, sourcesFromProto } from './policy-proto.ts'
import type { PolicyView } from './policy-view.ts'
import type { NodeView } from './view/node-view.ts'
import { statusToProto, wireToProto } from './view/view-proto.ts'

export interface NodeServiceOptions {
  readonly view: NodeView
  readonly policy: PolicyView
  /** Ends a connection, whoever opened it. */
  readonly end: (id: string, reason: string) => Promise<void>
}

export function nodeService({ view, policy, end }: NodeServiceOptions): Service {
  return implement(nodeV1.NodeService, {
    getStatus: async (_, { signal }) => statusToProto(await view.status(signal)),
    listWires: async ({ id }, { signal }) => ({ wires: (await view.wires(id, signal)).map(wireToProto) }),
    closeWire: async ({ id }) => {
      const [record] = id === '' ? [] : view.find(id)
      if (record === undefined) throw notFound(id)
      await end(record.id, 'closed by an operator')
      return {}
    },
    explainPolicy: async (question) => explanationToProto(policy.explain(questionFromProto(question))),
    diffPolicy: async (request) => diffToProto(policy.diff(sourcesFromProto(request))),
  })
}

/**
 * For `serve`: methods of the node's own service are for its administrators. A policy may take them from one and give
 * them to another, but never to a container: identities do not tell its users from those of the node.
 * @throws {NsmError} `permission_denied`
 */
export function administratorsOnly(
  isAdmin: (peer: Peer) => boolean,
  policy: PolicySource,
): (peer: Peer, path: string) => void {
  const methods = new Set<string>(Object.values(nodeV1.NodeService).map(({ path }) => path))
  return (peer, path) => {
    if (!methods.has(path)) return
    const operation = path.slice(path.lastIndexOf('/') + 1)
    const question = {
      action: 'administer',
      caller: peer.spiffeId,
      operation,
      isAllowedByDefault: isAdmin(peer),
    } as const
    const { isAllowed, rule } = policy.current().decide(question)
    if (isAllowed && peer.attestation?.isNodesOwn === true) return
    throw new NsmError('permission_denied', 'Cannot show the node: no sufficient privileges', {
      fields: { caller: peer.spiffeId, operation, rule: rule || undefined },
      next: 'ask as root on the node itself',
    })
  }
}

function notFound(id: string): NsmError {
  return new NsmError('not_found', 'Cannot close the wire: no wire has this id', {
    fields: { id },
    next: 'list the wires with: nsmctl get wires',
  })
}
