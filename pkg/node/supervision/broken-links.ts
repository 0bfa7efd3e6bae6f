import type { Clock } from '../../base/index.ts'
import { type End, viewEnd, type WireIntent } from '../../mechanism/index.ts'
import { formatSocketAddress, type SocketAddress } from '../../net/index.ts'
import type { Faults } from './faults.ts'

/** The engine says down after 370 ms without an answer. A far engine that restarts is back within this time. */
const CONFIRM_MS = 300

export interface BrokenLinksOptions {
  readonly faults: Pick<Faults, 'set' | 'has'>
  /** All wires as they are wanted: looked through when a link breaks or is back, which is rare. */
  readonly wires: { intents(): readonly WireIntent[] }
  readonly clock: Clock
}

/** A link over which nothing comes through takes the wires down that lead over it, and brings them back. */
export class BrokenLinks {
  readonly #options: BrokenLinksOptions
  readonly #unconfirmed = new Map<string, () => void>()

  constructor(options: BrokenLinksOptions) {
    this.#options = options
  }

  down(peer: SocketAddress): void {
    const key = formatSocketAddress(peer)
    const confirm = () => {
      this.#unconfirmed.delete(key)
      for (const id of this.#wiresOver(key)) this.#options.faults.set(id, 'link', true)
    }
    if (!this.#unconfirmed.has(key)) this.#unconfirmed.set(key, this.#options.clock.after(CONFIRM_MS, confirm))
  }

  up(peer: SocketAddress): void {
    const key = formatSocketAddress(peer)
    this.#forget(key)
    const { faults } = this.#options
    for (const id of this.#wiresOver(key)) if (faults.has(id, 'link')) faults.set(id, 'link', false)
  }

  /** A new engine has yet to say which links are down. */
  reset(): void {
    const { faults, wires } = this.#options
    for (const key of [...this.#unconfirmed.keys()]) this.#forget(key)
    for (const { id } of wires.intents()) if (faults.has(id, 'link')) faults.set(id, 'link', false)
  }

  close(): void {
    for (const key of [...this.#unconfirmed.keys()]) this.#forget(key)
  }

  #wiresOver(key: string): readonly string[] {
    const intents = this.#options.wires.intents()
    return intents
      .filter(({ client, server }) => [client, server].some((end) => peerOf(end) === key))
      .map(({ id }) => id)
  }

  #forget(key: string): void {
    this.#unconfirmed.get(key)?.()
    this.#unconfirmed.delete(key)
  }
}

function peerOf(end: End): string | undefined {
  const { peer, isProbed } = viewEnd(end, undefined)
  return peer !== undefined && isProbed ? formatSocketAddress(peer) : undefined
}
