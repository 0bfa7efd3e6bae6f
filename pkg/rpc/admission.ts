/**
 * Which connections of a server stay when there are too many. To connect costs an attacker nothing, so those who have
 * proven nothing leave first, and then strangers, whose handshake ended without an identity that we accept. Everyone has
 * a share, counted by what one cannot make more of: an address before the handshake, an identity after it, and on local
 * sockets the account that the kernel gives.
 *
 *     enter -> unproven, the idlest of its source leaves above the share
 *              -> prove -> proven, refused above the share
 *              -> meet -> stranger, the oldest of its source leaves above the share
 *
 * When all places are taken, whoever holds most loses one.
 */
import type { Socket } from 'node:net'

export interface Shares {
  readonly total: number
  /** Of those without a proven identity. */
  readonly unproven: number
  readonly unprovenPerSource: number
  readonly strangersPerSource: number
  readonly provenPerIdentity: number
}

export class Admission {
  readonly #shares: Shares
  readonly #unproven = new Holders()
  readonly #strangers = new Holders()
  readonly #proven = new Holders()

  constructor(shares: Shares) {
    this.#shares = shares
  }

  /** The connection stays until it closes, or until others need its place more. */
  enter(socket: Socket, source: string): void {
    const { total, unproven, unprovenPerSource } = this.#shares
    if (this.#unproven.heldBy(source) >= unprovenPerSource) this.#drop(this.#unproven.idlestOf(source))
    this.#unproven.add(socket, source)
    socket.once('close', () => this.#forget(socket))
    if (this.#unproven.size > unproven) this.#drop(this.#unproven.idlestOf(this.#unproven.largest()))
    if (this.#unproven.size + this.#strangers.size + this.#proven.size > total) this.#drop(this.#mostExpendable())
  }

  /** The handshake is over, and has not proven anything. */
  meet(socket: Socket, source: string): void {
    this.#unproven.delete(socket)
    if (this.#strangers.heldBy(source) >= this.#shares.strangersPerSource) this.#drop(this.#strangers.oldestOf(source))
    if (!socket.destroyed) this.#strangers.add(socket, source)
  }

  /** @returns false when the identity holds its share already, or the connection is gone */
  prove(socket: Socket, identity: string): boolean {
    this.#unproven.delete(socket)
    if (socket.destroyed || this.#proven.heldBy(identity) >= this.#shares.provenPerIdentity) return false
    this.#proven.add(socket, identity)
    return true
  }

  #mostExpendable(): Socket | undefined {
    const isOther = this.#unproven.size > 1 // than the one that enters
    if (isOther) return this.#unproven.idlestOf(this.#unproven.largest())
    if (this.#strangers.size > 0) return this.#strangers.oldestOf(this.#strangers.largest())
    return this.#proven.newestOf(this.#proven.largest())
  }

  #drop(socket: Socket | undefined): void {
    if (socket === undefined) return
    this.#forget(socket)
    socket.destroy()
  }

  #forget(socket: Socket): void {
    this.#unproven.delete(socket)
    this.#strangers.delete(socket)
    this.#proven.delete(socket)
  }
}

/** Connections by who holds them, in the order in which they came. */
class Holders {
  readonly #all = new Map<Socket, string>()
  readonly #byHolder = new Map<string, Set<Socket>>()

  get size(): number {
    return this.#all.size
  }

  heldBy(holder: string): number {
    return this.#byHolder.get(holder)?.size ?? 0
  }

  add(socket: Socket, holder: string): void {
    const held = this.#byHolder.get(holder) ?? new Set()
    this.#byHolder.set(holder, held.add(socket))
    this.#all.set(socket, holder)
  }

  delete(socket: Socket): void {
    const holder = this.#all.get(socket)
    if (holder === undefined) return
    this.#all.delete(socket)
    const held = this.#byHolder.get(holder)
    held?.delete(socket)
    if (held?.size === 0) this.#byHolder.delete(holder)
  }

  /** Linear in the holders, so it is asked only when places have run out. */
  largest(): string {
    let [largest, most] = ['', 0]
    for (const [holder, { size }] of this.#byHolder) if (size > most) [largest, most] = [holder, size]
    return largest
  }

  /**
   * The oldest that has said nothing yet, or else the oldest. The newer half has not had the time: were they to go first,
   * a byte on each of many connections would keep everybody else out.
   */
  idlestOf(holder: string): Socket | undefined {
    const held = [...(this.#byHolder.get(holder) ?? [])]
    const older = held.slice(0, Math.ceil(held.length / 2))
    return older.find(({ bytesRead }) => !bytesRead) ?? held[0]
  }

  oldestOf(holder: string): Socket | undefined {
    return this.#byHolder.get(holder)?.values().next().value
  }

  newestOf(holder: string): Socket | undefined {
    return [...(this.#byHolder.get(holder) ?? [])].at(-1)
  }
}
