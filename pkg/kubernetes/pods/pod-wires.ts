/** What one sandbox of a pod has: its wires, and the endpoint that it is. */
import { isDeepStrictEqual } from 'node:util'
import type { Serve } from '../annotations/serve.ts'
import type { AskedWire } from '../annotations/wires.ts'
import type { Kept, KeptState, PodKeeper, Tell } from './doors.ts'
import type { PodAt } from './pod.ts'

export interface PodWire {
  readonly asked: AskedWire
  readonly state: KeptState
}

interface Held<T> {
  readonly asked: T
  readonly kept: Kept
  state: KeptState
}

export class PodWires {
  readonly at: PodAt
  readonly #keeper: PodKeeper
  readonly #onChange: () => void
  readonly #wires = new Map<string, Held<AskedWire>>()
  #endpoint: Held<Serve> | undefined

  constructor(at: PodAt, keeper: PodKeeper, onChange: () => void) {
    this.at = at
    this.#keeper = keeper
    this.#onChange = onChange
  }

  get wires(): readonly PodWire[] {
    return [...this.#wires.values()].map(({ asked, state }) => ({ asked, state }))
  }

  get endpoint(): KeptState | undefined {
    return this.#endpoint?.state
  }

  get isEmpty(): boolean {
    return this.#wires.size === 0 && this.#endpoint === undefined
  }

  /** Ends the wires that are no longer asked for, or otherwise, and then asks for what is missing. */
  async setWires(asked: readonly AskedWire[]): Promise<void> {
    const wanted = new Map(asked.map((wire) => [wire.key, wire]))
    const former = [...this.#wires].filter(([key, held]) => !isDeepStrictEqual(held.asked.url, wanted.get(key)?.url))
    for (const [key] of former) this.#wires.delete(key)
    await Promise.all(former.map(([, { kept }]) => kept.close().catch(() => {}))) // what cannot be closed expires
    for (const [key, wire] of wanted) {
      if (!this.#wires.has(key))
        this.#wires.set(
          key,
          this.#hold(wire, (at, tell) => this.#keeper.keepWire(at, wire, tell)),
        )
    }
    if (former.length > 0) this.#onChange()
  }

  async setServe(serve: Serve | undefined): Promise<void> {
    const before = this.#endpoint
    if (isDeepStrictEqual(before?.asked, serve)) return
    this.#endpoint = undefined
    await before?.kept.close().catch(() => {})
    if (serve !== undefined) {
      this.#endpoint = this.#hold(serve, (at, tell) => this.#keeper.keepEndpoint(at, serve, tell))
    }
    this.#onChange()
  }

  async close(): Promise<void> {
    await Promise.all([this.setWires([]), this.setServe(undefined)])
  }

  async leave(): Promise<void> {
    const all = [...this.#wires.values(), ...(this.#endpoint === undefined ? [] : [this.#endpoint])]
    await Promise.all(all.map(({ kept }) => kept.leave()))
  }

  #hold<T>(asked: T, keep: (at: PodAt, tell: Tell) => Kept): Held<T> {
    const held: Omit<Held<T>, 'kept'> = { asked, state: { at: 'pending', problem: undefined } }
    const kept = keep(this.at, (state) => {
      if (isDeepStrictEqual(held.state, state)) return
      held.state = state
      this.#onChange()
    })
    return Object.assign(held, { kept })
  }
}
