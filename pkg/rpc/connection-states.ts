/**
 * What becomes of the connection of a client, by the states that gRPC gives its channel:
 *
 *     IDLE --> CONNECTING --> READY --> IDLE ...   the server drains the connection, or it broke
 *                   '--> TRANSIENT_FAILURE         calls fail until a pause of up to 5 s is over
 */
import { type Client, connectivityState } from '@grpc/grpc-js'
import { type Clock, systemClock } from '../base/index.ts'

/** A younger stream is left alone, so that nobody opens streams in a loop to a server that ends them all. */
const YOUNG_MS = 1_000
/** An attempt that is refused costs no more than this; one that gets no answer takes seconds. */
const REFUSED_MS = 500
/** How often a peer that refuses connections is tried. */
const TRY_MS = 100

export class ConnectionStates {
  readonly #client: Client
  readonly #clock: Clock
  /** What ends a stream, and when it was opened. */
  readonly #streams = new Map<() => void, number>()
  /** In the time of the machine, by which gRPC pauses. */
  #triedMs = 0
  #failedMs = 0

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
    this.#watch()
  }

  /**
   * @param end ends an endless stream when calls take another connection from now on, to be opened again over that one.
   *   Left alone, it would break when the old connection is closed under it.
   * @returns to be called when the stream has ended
   */
  addStream(end: () => void): () => void {
    this.#streams.set(end, this.#clock.monotonicMs())
    return () => this.#streams.delete(end)
  }

  renewStreams(): void {
    const youngMs = this.#clock.monotonicMs() - YOUNG_MS
    for (const [end, openedMs] of this.#streams) if (openedMs <= youngMs) end()
  }

  /** Whether calls would fail in a pause of gRPC though the peer, which only refuses connections, may be back. */
  get isWorthTrying(): boolean {
    if (this.#client.getChannel().getConnectivityState(false) !== connectivityState.TRANSIENT_FAILURE) return false
    const wasRefused = this.#failedMs - this.#triedMs <= REFUSED_MS
    return wasRefused && systemClock.monotonicMs() - this.#failedMs >= TRY_MS
  }

  #watch(): void {
    const channel = this.#client.getChannel()
    const before = channel.getConnectivityState(false)
    if (before === connectivityState.SHUTDOWN) return
    if (before === connectivityState.CONNECTING) this.#triedMs = systemClock.monotonicMs()
    if (before === connectivityState.TRANSIENT_FAILURE) this.#failedMs = systemClock.monotonicMs()
    channel.watchConnectivityState(before, Number.POSITIVE_INFINITY, () => {
      const isClosed = channel.getConnectivityState(false) === connectivityState.SHUTDOWN
      if (before === connectivityState.READY && !isClosed) this.renewStreams()
      this.#watch()
    })
  }
}
