/**
 * Which program keeps a connection. Two programs of one name on one machine would take it from each other without end:
 * the second one is refused for as long as the first is there.
 */
import type { Connection, Peer } from '../api/index.ts'
import { NsmError, type Step } from '../base/index.ts'
import type { Arrived } from '../steps/index.ts'

/** The programs that last requested the connections of this node's workloads, by connection. */
export class Keepers {
  readonly #peers = new Map<string, Peer>()

  keep(id: string, peer: Peer): void {
    if (peer.attestation !== undefined) this.#peers.set(id, peer)
  }

  forget(id: string): void {
    this.#peers.delete(id)
  }

  /** Another process than that of `peer`, if it keeps the connection and is still connected. */
  otherThan({ attestation }: Peer, id: string): { readonly pid: number } | undefined {
    const keeper = this.#peers.get(id)
    const kept = keeper?.attestation
    if (kept === undefined || attestation === undefined || keeper?.isConnected?.() !== true) return undefined
    const isSame = kept.connectionId === attestation.connectionId || kept.pid === attestation.pid
    return isSame ? undefined : { pid: kept.pid }
  }
}

export function requireKeeper(keepers: Keepers): Step<Arrived, object, Connection> {
  return async function requireKeeper({ connection: { id, path }, call }, next) {
    const other = keepers.otherThan(call.peer, id)
    if (other !== undefined) throw isKept(path.segments[0]?.name ?? '', other)
    const answer = await next({})
    keepers.keep(id, call.peer)
    return answer
  }
}

function isKept(client: string, { pid }: { readonly pid: number }): NsmError {
  return new NsmError(
    'already_exists',
    'Cannot request the network service: another program of the same name keeps this wire',
    {
      fields: { client, pid },
      next: 'end that program, or give this one a name of its own with NSM_NAME',
    },
  )
}
