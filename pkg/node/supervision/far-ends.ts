/**
 * What the next hops say about the connections that lead to them, by one monitor stream for each: other nodes, and the
 * endpoints of this node.
 *
 * A stream to a node that breaks says nothing about the wires, which do not need their daemons; what counts is what the
 * node says when it is back, and the dataplane notices a dead one long before. An endpoint is on this machine: one that
 * ends its stream and does not answer at once is gone, and with it what it serves.
 */
import type { Connection, ConnectionEvent, ConnectionState, MonitorClient } from '../../api/index.ts'
import { type Clock, errorCode, follow, type Logger, type Pace, paced } from '../../base/index.ts'
import type { Target } from '../../connections/index.ts'

const RETRY = { firstMs: 200, maxMs: 10_000 }
/** A stream that was open for so long may have ended because of its age, and is opened again before we conclude anything. */
const STEADY_MS = 1_000

/** How often the changes of its wires are heard of one hop, whose every wire may change at once. */
const PACE_MS = 100
const CHANGES = { always: 10, perWire: 0.2 }
/** After an event with many connections, in units of the above. */
const LONGEST_REST = 10

export interface FarEndsOptions {
  readonly connect: (target: Target, signal: AbortSignal) => Promise<MonitorClient>
  /** The far end of this node's connection `id` changed. */
  readonly onState: (id: string, state: ConnectionState) => void
  readonly clock: Clock
  readonly logger: Logger
}

interface Followed {
  readonly target: Target
  readonly ids: Set<string>
  readonly stop: AbortController
  running: Promise<void>
}

export class FarEnds {
  readonly #options: FarEndsOptions
  readonly #hops = new Map<string, Followed>()
  /** The hop of each connection, as a key of `#hops`. */
  readonly #keys = new Map<string, string>()

  constructor(options: FarEndsOptions) {
    this.#options = options
  }

  /** Next hops with a stream. */
  get size(): number {
    return this.#hops.size
  }

  /** Follows this node's connection `id` at the hop that it leads to now. */
  follow(id: string, target: Target): void {
    const key = keyOf(target)
    if (this.#keys.get(id) === key) return
    this.unfollow(id)
    this.#keys.set(id, key)
    const known = this.#hops.get(key)
    if (known !== undefined) return void known.ids.add(id)
    const hop = { target, ids: new Set([id]), stop: new AbortController(), running: Promise.resolve() }
    this.#hops.set(key, hop)
    hop.running = this.#run(hop)
  }

  unfollow(id: string): void {
    const key = this.#keys.get(id) ?? ''
    const hop = this.#hops.get(key)
    this.#keys.delete(id)
    hop?.ids.delete(id)
    if (hop === undefined || hop.ids.size > 0) return
    hop.stop.abort()
    this.#hops.delete(key)
  }

  async close(): Promise<void> {
    const hops = [...this.#hops.values()]
    this.#hops.clear()
    this.#keys.clear()
    for (const { stop } of hops) stop.abort()
    await Promise.all(hops.map(({ running }) => running))
  }

  async #run(hop: Followed): Promise<void> {
    const { clock, logger } = this.#options
    const { target, stop } = hop
    const log = { logger: logger.with({ url: target.url }), message: 'Lost the monitor stream of a next hop' }
    await clock.sleep(0, stop.signal).catch(() => {}) // the client that waits for its wire has its answer first
    await follow({ clock, retry: RETRY, signal: stop.signal, log }, (works) => this.#watch(hop, works))
  }

  async #watch(hop: Followed, works: () => void): Promise<void> {
    const { clock } = this.#options
    let isSteady = true
    while (isSteady) {
      const startMs = clock.monotonicMs()
      isSteady = false
      const onOpen = () => {
        works()
        isSteady = true
      }
      const outcome = await this.#monitor(hop, onOpen).catch((error: unknown) => ({ error }))
      isSteady &&= clock.monotonicMs() - startMs >= STEADY_MS && !hop.stop.signal.aborted
      if (isSteady) continue
      if (outcome !== undefined && errorCode(outcome.error) === 'unimplemented') return this.#withoutStream(hop)
      if (hop.target.at === 'endpoint' && !hop.stop.signal.aborted) this.#lost(hop)
      if (outcome !== undefined) throw outcome.error
    }
  }

  async #monitor({ target, ids, stop: { signal } }: Followed, onOpen: () => void): Promise<undefined> {
    const client = await this.#options.connect(target, signal)
    const before = [...ids] // a connection that is made later may be missing from the initial state
    const events = client.monitor({ pathSegments: [], networkServices: [] }, { signal })
    for await (const event of paced(events, this.#paceOf(ids, signal))) {
      const told = this.#tell(event, ids)
      if (event.type !== 'INITIAL_STATE_TRANSFER') continue
      onOpen()
      for (const id of before) if (ids.has(id) && !told.has(id)) this.#options.onState(id, 'DOWN')
    }
  }

  #paceOf(ids: ReadonlySet<string>, signal: AbortSignal): Pace<ConnectionEvent> {
    const most = () => CHANGES.always + CHANGES.perWire * ids.size
    return {
      get most() {
        return most()
      },
      ms: PACE_MS,
      weigh: ({ connections }) => Math.min(Math.max(1, connections.size), LONGEST_REST * most()),
      clock: this.#options.clock,
      signal,
    }
  }

  /** An endpoint of 0.2 and earlier tells nothing: its wires end when their tokens expire. */
  async #withoutStream({ stop: { signal } }: Followed): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  #lost({ target, ids }: Followed): void {
    if (ids.size === 0) return
    this.#options.logger.warn('An endpoint is gone: its wires are down', { endpoint: target.endpoint, wires: ids.size })
    for (const id of [...ids]) this.#options.onState(id, 'DOWN')
  }

  #tell({ type, connections }: ConnectionEvent, ids: ReadonlySet<string>): ReadonlySet<string> {
    const told = new Set<string>()
    for (const connection of connections.values()) {
      const id = ownId(connection, ids)
      if (id === undefined) continue
      told.add(id)
      this.#options.onState(id, type === 'DELETE' ? 'DOWN' : connection.state)
    }
    return told
  }
}

/** What shares a connection shares a stream. */
function keyOf(target: Target): string {
  return JSON.stringify([target.url, target.at === 'endpoint' ? target.owner : target.domain])
}

/** The id that a far end's connection has here: that of the segment before the far end's own. */
function ownId({ path }: Connection, ids: ReadonlySet<string>): string | undefined {
  const id = path.segments[path.index - 1]?.id
  return id !== undefined && ids.has(id) ? id : undefined
}
