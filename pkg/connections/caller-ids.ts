/** The ids under which callers know their connections, so that a caller that has lost our answer finds its own again. */
import type { Call, Connection } from '../api/index.ts'

export class CallerIds {
  readonly #idsByKey = new Map<string, string>()
  readonly #keysById = new Map<string, string>()

  idFor(connection: Connection, call: Call): string | undefined {
    return this.#idsByKey.get(callerKey(connection, call))
  }

  /** The connection `id` has one caller: the former one is forgotten. */
  remember(id: string, key: string): void {
    if (this.#keysById.get(id) !== key) this.forget(id)
    this.#keysById.set(id, key)
    this.#idsByKey.set(key, id)
  }

  forget(id: string): void {
    const key = this.#keysById.get(id)
    this.#keysById.delete(id)
    if (key !== undefined && this.#idsByKey.get(key) === id) this.#idsByKey.delete(key)
  }

  get size(): number {
    return this.#idsByKey.size
  }
}

/** INVARIANT: two callers never have the same key; ids are unique only within the program that made them. */
export function callerKey({ id, path }: Connection, { peer }: Call): string {
  const name = path.segments[path.index]?.name ?? ''
  return JSON.stringify([peer.spiffeId, peer.attestation?.namespace ?? '', name, id])
}
