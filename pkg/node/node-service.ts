/** nsmesh.node.v1: what this node does, for its operators. */
import { nodeV1, type Peer } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { implement, type Service } from '../rpc/index.ts'
import type { NodeView } from './view/node-view.ts'
import { statusToProto, wireToProto } from './view/view-proto.ts'

export interface NodeServiceOptions {
  readonly view: NodeView
  /** Ends a connection, whoever opened it. */
  readonly end: (id: string, reason: string) => Promise<void>
}

export function nodeService({ view, end }: NodeServiceOptions): Service {
  return implement(nodeV1.NodeService, {
    getStatus: async (_, { signal }) => statusToProto(await view.status(signal)),
    listWires: async ({ id }, { signal }) => ({ wires: (await view.wires(id, signal)).map(wireToProto) }),
    closeWire: async ({ id }) => {
      const [record] = id === '' ? [] : view.find(id)
      if (record === undefined) throw notFound(id)
      await end(record.id, 'closed by an operator')
      return {}
    },
  })
}

/** For `serve`: methods of the node's own service are for its administrators. @throws {NsmError} `permission_denied` */
export function administratorsOnly(isAdmin: (peer: Peer) => boolean): (peer: Peer, path: string) => void {
  const methods = new Set<string>(Object.values(nodeV1.NodeService).map(({ path }) => path))
  return (peer, path) => {
    if (!methods.has(path) || isAdmin(peer)) return
    throw new NsmError('permission_denied', 'Cannot show the node: no sufficient privileges', {
      fields: { caller: peer.spiffeId },
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
