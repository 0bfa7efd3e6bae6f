/**
 * One monitor stream for all wires of a client, whatever their number: a connection carries only so many streams.
 *
 *     one stream for good     the events of all connections of the client, handed to whoever watches that connection
 *     one that ends at once   how a wire is when its watcher comes, unless the first event of the other one says so
 */
import type { Connection, ConnectionEvent, MonitorClient, MonitorScopeSelector, Outgoing } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { Mailbox } from './mailbox.ts'

class Watcher {
  /** What the stream says first of the connection; undefined: nothing. */
  readonly first = Promise.withResolvers<ConnectionEvent | undefined>()
  readonly events = new Mailbox<ConnectionEvent>()

  fail(error: unknown): void {
    this.first.promise.catch(() => {})
    this.first.reject(error)
    this.events.fail(error)
  }
}

export class SharedMonitor implements MonitorClient {
  readonly #monitor: MonitorClient
  /** The name of the client, which is on the path of each of its connections. */
  readonly #client: string
  readonly #closing = new AbortController()
  /** By the client's id of the connection. */
  readonly #watchers = new Map<string, Set<Watcher>>()
  #stream: 'none' | 'opening' | 'open' = 'none'

  constructor(monitor: MonitorClient, client: string) {
    this.#monitor = monitor
    this.#client = client
  }

  /** @param selector names the client's segment of one connection */
  async *monitor(selector: MonitorScopeSelector, { signal }: Outgoing): AsyncIterable<ConnectionEvent> {
    const id = selector.pathSegments[0]?.id ?? ''
    const watcher = this.#join(id)
    const fail = () => watcher.fail(signal.reason)
    signal.addEventListener('abort', fail, { once: true })
    try {
      yield (await watcher.first.promise) ?? (await this.#ask(selector, signal))
      while (true) yield await watcher.events.take()
    } finally {
      signal.removeEventListener('abort', fail)
      this.#leave(id, watcher)
    }
  }

  /** Ends the stream, and with it whoever watches. */
  close(): void {
    this.#closing.abort()
  }

  #join(id: string): Watcher {
    const watcher = new Watcher()
    this.#watchers.set(id, (this.#watchers.get(id) ?? new Set()).add(watcher))
    if (this.#stream === 'open') watcher.first.resolve(undefined)
    if (this.#stream === 'none') void this.#run()
    return watcher
  }

  #leave(id: string, watcher: Watcher): void {
    const watchers = this.#watchers.get(id)
    watchers?.delete(watcher)
    if (watchers?.size === 0) this.#watchers.delete(id)
  }

  async #run(): Promise<void> {
    this.#stream = 'opening'
    const pathSegments = [{ name: this.#client, id: '', token: '' }]
    const { signal } = this.#closing
    let failure: unknown = new NsmError('unavailable', 'Cannot go on watching the wires: the node ended the stream')
    try {
      for await (const event of this.#monitor.monitor({ pathSegments, networkServices: [] }, { signal })) {
        this.#tell(event)
      }
    } catch (error) {
      failure = error
    }
    this.#stream = 'none'
    for (const watcher of this.#all()) watcher.fail(failure)
  }

  #tell({ type, connections }: ConnectionEvent): void {
    const isFirst = this.#stream === 'opening'
    this.#stream = 'open'
    for (const [id, theirs] of this.#byId(connections)) {
      const event = { type, connections: theirs }
      for (const { first, events } of this.#watchers.get(id) ?? []) {
        if (isFirst) first.resolve(event)
        else events.put(event)
      }
    }
    if (!isFirst) return
    // A long state comes in several events: who is not in the first of them asks.
    for (const { first } of this.#all()) first.resolve(undefined)
  }

  #all(): readonly Watcher[] {
    return [...this.#watchers.values()].flatMap((each) => [...each])
  }

  #byId(connections: ConnectionEvent['connections']): ReadonlyMap<string, Map<string, Connection>> {
    const byId = new Map<string, Map<string, Connection>>()
    for (const [key, connection] of connections) {
      const id = connection.path.segments.find(({ name }) => name === this.#client)?.id ?? ''
      byId.set(id, (byId.get(id) ?? new Map()).set(key, connection))
    }
    return byId
  }

  async #ask(selector: MonitorScopeSelector, signal: AbortSignal): Promise<ConnectionEvent> {
    for await (const event of this.#monitor.monitor(selector, { signal })) return event
    throw new NsmError('unavailable', 'Cannot learn how the wire is: the node ended the stream')
  }
}
