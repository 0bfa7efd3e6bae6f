/**
 * The endless streams over one connection. When calls take another one from now on, because its server drains it or our
 * identity was renewed, these streams are ended here, to be opened again over that one: left alone, they would break when
 * the old connection is closed under them.
 */
import { type Client, connectivityState } from '@grpc/grpc-js'
import type { Clock } from '../base/index.ts'

/** A younger stream is left alone, so that nobody opens streams in a loop to a server that ends them all. */
const YOUNG_MS = 1_000

export class EndlessStreams {
  readonly #client: Client
  readonly #clock: Clock
  /** What ends a stream, and when it was opened. */
  readonly #streams = new Map<() => void, number>()
  #isWatching = false

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** @returns to be called when the stream has ended */
  add(end: () => void): () => void {
    this.#streams.set(end, this.#clock.monotonicMs())
    if (!this.#isWatching) this.#watch()
    return () => this.#streams.delete(end)
  }

  renew(): void {
    const youngMs = this.#clock.monotonicMs() - YOUNG_MS
    for (const [end, openedMs] of this.#streams) if (openedMs <= youngMs) end()
  }

  /** A connection that is drained takes no more calls: to gRPC, the channel is idle, and its streams go on. */
  #watch(): void {
    const channel = this.#client.getChannel()
    const state = channel.getConnectivityState(false)
    this.#isWatching = state !== connectivityState.SHUTDOWN && this.#streams.size > 0
    if (!this.#isWatching) return
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => {
      const isClosed = channel.getConnectivityState(false) === connectivityState.SHUTDOWN
      if (state === connectivityState.READY && !isClosed) this.renew()
      this.#watch()
    })
  }
}
