/**
 * Next hops that connections have left and that have yet to hear of it, because they are away. Without it, a node that
 * comes back would keep its end, and the address of it, until the token expires.
 */
import type { NetworkServiceClient } from '../api/index.ts'
import { type Clock, describeError, isAway, type Logger, NsmError, retryUntilDone, within } from '../base/index.ts'
import type { ConnectionRecord, Target } from '../connections/index.ts'
import { ourPartOf } from './call-next-hop.ts'
import type { NextHops } from './parts.ts'

const RETRY = { firstMs: 500, maxMs: 5_000 }
/** How long an attempt may look for a hop that is away. */
const CONNECT_MS = 2_000
const CLOSE_MS = 5_000
/** Of all hops: a workload and a hop that answers nothing could make ever more of them. Each takes a few kB. */
const MAX_CONNECTIONS = 10_000

export interface LeavingParts {
  readonly nextHops: NextHops
  readonly clock: Clock
  readonly logger: Logger
}

/** A connection that its next hop may still have. */
export type Left = Pick<ConnectionRecord, 'id' | 'target' | 'outgoing' | 'expiresMs'>

interface LeftHop {
  /** By the id of the connection. */
  readonly records: Map<string, Left>
  readonly stop: AbortController
  running: Promise<void>
}

export class Leaving {
  readonly #parts: LeavingParts
  readonly #hops = new Map<string, LeftHop>()
  /** Closes that are under way, by hop and connection. */
  readonly #closing = new Map<string, Promise<void>>()
  #isClosed = false

  constructor(parts: LeavingParts) {
    this.#parts = parts
  }

  /** Hops that have yet to hear of something. */
  get size(): number {
    return this.#hops.size
  }

  /** Tells the hop now, or when it is there again, for as long as it may have the connection. */
  start(left: Left): void {
    if (this.#isClosed) return
    const key = hopKey(left.target)
    const known = this.#hops.get(key)
    if (this.#connections >= MAX_CONNECTIONS && known?.records.has(left.id) !== true) {
      const fields = { connection: left.id, most: MAX_CONNECTIONS }
      this.#parts.logger.warn(
        'Cannot close a connection at a next hop, it will expire there: too many wait for that',
        fields,
      )
      return
    }
    if (known !== undefined) return void known.records.set(left.id, left)
    const hop: LeftHop = {
      records: new Map([[left.id, left]]),
      stop: new AbortController(),
      running: Promise.resolve(),
    }
    this.#hops.set(key, hop)
    hop.running = this.#run(key, hop)
  }

  get #connections(): number {
    let count = 0
    for (const { records } of this.#hops.values()) count += records.size
    return count
  }

  /** To be called before the hop is asked for the connection again: a close that is late would end the new one. */
  async cancel(id: string, target: Target): Promise<void> {
    const key = hopKey(target)
    this.#hops.get(key)?.records.delete(id)
    await this.#closing.get(`${key} ${id}`)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const hops = [...this.#hops.values()]
    for (const { stop } of hops) stop.abort(new NsmError('cancelled', 'Cannot tell the next hop: the node is closing'))
    await Promise.all(hops.map(({ running }) => running))
  }

  async #run(key: string, { records, stop: { signal } }: LeftHop): Promise<void> {
    const { clock, logger } = this.#parts
    const attempt = () => this.#tellAll(key, records, signal)
    try {
      await retryUntilDone({ clock, retry: RETRY, signal, isRetried: isAway }, attempt)
    } catch (error) {
      if (!signal.aborted) {
        const wires = records.size
        logger.warn('Cannot close connections at a next hop: they will expire there', {
          wires,
          error: describeError(error),
        })
      }
    } finally {
      this.#hops.delete(key)
    }
  }

  async #tellAll(key: string, records: Map<string, Left>, signal: AbortSignal): Promise<void> {
    const { nextHops, clock } = this.#parts
    this.#dropExpired(records)
    for (let [first] = records.values(); first !== undefined; [first] = records.values()) {
      const { target } = first
      const hop = await within({ clock, ms: CONNECT_MS, signal }, (until) => nextHops.connect(target, until))
      await this.#tell(key, { record: first, client: hop.client, signal })
      records.delete(first.id)
    }
  }

  /** A hop that refuses has no such connection, or not from us. */
  async #tell(
    key: string,
    { record, client, signal }: { record: Left; client: NetworkServiceClient; signal: AbortSignal },
  ): Promise<void> {
    const { clock, logger } = this.#parts
    const { id, outgoing } = record
    const closing = within({ clock, ms: CLOSE_MS, signal }, (until) =>
      client.close(ourPartOf(outgoing), { signal: until }),
    )
    this.#closing.set(
      `${key} ${id}`,
      closing.catch(() => {}),
    )
    try {
      await closing
    } catch (error) {
      if (isAway(error) || signal.aborted) throw error
      logger.warn('The next hop refuses to close a connection', { connection: id, error: describeError(error) })
    } finally {
      this.#closing.delete(`${key} ${id}`)
    }
  }

  #dropExpired(records: Map<string, Left>): void {
    const nowMs = this.#parts.clock.nowMs()
    for (const [id, { expiresMs }] of records) if (expiresMs <= nowMs) records.delete(id)
  }
}

function hopKey(target: Target): string {
  return JSON.stringify([target.url, target.at === 'endpoint' ? target.owner : target.domain])
}
