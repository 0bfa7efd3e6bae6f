import type { Logger } from '../../base/index.ts'
import type { ConnectionTable } from '../../connections/index.ts'
import { isAgreedHere, type Tunnel } from '../../mechanism/index.ts'

export interface MovedParts {
  readonly table: ConnectionTable
  readonly tunnel: Tunnel
  readonly logger: Logger
}

/**
 * Asks, at a start, for refreshes of the wires that were agreed on with another address of this node than it has now: by
 * a refresh, each neighbour hears where this node is. Until then it sends to the former address.
 */
export function refreshMoved({ table, tunnel, logger }: MovedParts): void {
  const moved = [...table.all()].filter(({ connection, outgoing }) => {
    const agreed = [
      isAgreedHere(connection.mechanism, 'client', tunnel),
      isAgreedHere(outgoing.mechanism, 'server', tunnel),
    ]
    return agreed.includes(false)
  })
  if (moved.length === 0) return
  logger.info('The address for wires has changed: the other nodes are told', { ip: tunnel.ip, wires: moved.length })
  for (const { id } of moved) table.requestRefresh(id)
}
