/**
 * What other nodes say about the connections that lead to them, by one monitor stream per node. A stream that breaks
 * says nothing about the wires, which do not need their daemons; what counts is what the node says when it is back. The
 * dataplane notices a dead node long before.
 */
import type { Connection, ConnectionEvent, ConnectionState, MonitorClient } from '../../api/index.ts'
import { type Clock, describeError, follow, type Logger } from '../../base/index.ts'

const RETRY = { firstMs: 200, maxMs: 10_000 }

export interface FarEndsOptions {
  /** The monitor of the node at `url`. */
  readonly connect: (url: string, signal: AbortSignal) => Promise<MonitorClient>
  /** The far end of this node's connection `id` changed. */
  readonly onState: (id: string, state: ConnectionState) => void
  readonly clock: Clock
  readonly logger: Logger
}

interface Followed {
  readonly ids: Set<string>
  readonly stop: AbortController
  readonly running: Promise<void>
}

export class FarEnds {
  readonly #options: FarEndsOptions
  readonly #nodes = new Map<string, Followed>()

  constructor(options: FarEndsOptions) {
    this.#options = options
  }

  /** Nodes with a stream. */
  get size(): number {
    return this.#nodes.size
  }

  /** Follows this node's connection `id` at the node that it leads to. */
  follow(id: string, url: string): void {
    const known = this.#nodes.get(url)
    if (known !== undefined) return void known.ids.add(id)
    const ids = new Set([id])
    const stop = new AbortController()
    this.#nodes.set(url, { ids, stop, running: this.#run(url, ids, stop.signal) })
  }

  unfollow(id: string, url: string): void {
    const node = this.#nodes.get(url)
    node?.ids.delete(id)
    if (node === undefined || node.ids.size > 0) return
    node.stop.abort()
    this.#nodes.delete(url)
  }

  async close(): Promise<void> {
    const nodes = [...this.#nodes.values()]
    this.#nodes.clear()
    for (const { stop } of nodes) stop.abort()
    await Promise.all(nodes.map(({ running }) => running))
  }

  async #run(url: string, ids: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options
    const onFailure = (error: unknown) =>
      logger.warn('Lost the monitor stream of a node: its wires go on', { url, error: describeError(error) })
    await follow({ clock, retry: RETRY, signal, onFailure }, (works) =>
      this.#monitor(url, ids, { signal, onOpen: works }),
    )
  }

  async #monitor(
    url: string,
    ids: ReadonlySet<string>,
    how: { signal: AbortSignal; onOpen: () => void },
  ): Promise<void> {
    const client = await this.#options.connect(url, how.signal)
    const before = [...ids] // a connection that is made later may be missing from the initial state
    for await (const event of client.monitor({ pathSegments: [], networkServices: [] }, { signal: how.signal })) {
      const told = this.#tell(event, ids)
      if (event.type !== 'INITIAL_STATE_TRANSFER') continue
      how.onOpen()
      for (const id of before) if (ids.has(id) && !told.has(id)) this.#options.onState(id, 'DOWN')
    }
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

/** The id that a far node's connection has here: that of the segment before the far node's own. */
function ownId({ path }: Connection, ids: ReadonlySet<string>): string | undefined {
  const id = path.segments[path.index - 1]?.id
  return id !== undefined && ids.has(id) ? id : undefined
}
