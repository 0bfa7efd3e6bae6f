/**
 * Which program keeps a connection, or an endpoint's name. Two programs of one name on one machine would take it from each
 * other without end: the second one is refused for as long as the first is there.
 */
import type { Peer } from '../api/index.ts'
import { NsmError } from '../base/index.ts'

/** The workloads that last asked, by what they keep. */
export class Keepers {
  readonly #peers = new Map<string, Peer>()

  keep(id: string, peer: Peer): void {
    if (peer.attestation !== undefined) this.#peers.set(id, peer)
  }

  forget(id: string): void {
    this.#peers.delete(id)
  }

  /** @throws {NsmError} `already_exists` while another process than that of `peer` keeps it and is connected */
  check(id: string, { attestation }: Peer, name: string): void {
    const keeper = this.#peers.get(id)
    const kept = keeper?.attestation
    if (kept === undefined || attestation === undefined || keeper?.isConnected?.() !== true) return
    if (kept.connectionId === attestation.connectionId || kept.pid === attestation.pid) return
    throw new NsmError('already_exists', 'Cannot take the name: another program that has it is connected', {
      fields: { name, pid: kept.pid },
      next: 'end that program, or give this one a name of its own with NSM_NAME',
    })
  }
}
