/**
 * What was seen of each wire: whether packets pass both ways through it.
 *
 *     dataplane  verdict of a session, of a link --> faults of the connection
 *                                                --> connecting, up
 *
 * Sessions are one wire's own. A link is shared by all wires to a node that answers probes, so its verdict counts for
 * all of them. Wires within the node are links of the kernel, which the reconciler keeps up: `up` is that they have
 * settled. Where a mechanism has no session, nothing shows whether the far side gets our packets.
 */
import { type Clock, describeError, Listeners, type Logger } from '../../base/index.ts'
import type { ConnectionTable } from '../../connections/index.ts'
import { type Dataplane, type DataplaneEvent, endOfPort, portId } from '../../dataplane/index.ts'
import {
  type End,
  type EndView,
  isSameSession,
  mechanismOf,
  type PortStatus,
  type Verdict,
  viewEnd,
  type WireIntent,
} from '../../mechanism/index.ts'
import { formatSocketAddress, type SocketAddress } from '../../net/index.ts'

/** The engine says down after 370 ms without an answer. A far engine that restarts is back within this time. */
const CONFIRM_MS = 300

/** Of a wire that nothing speaks against. */
export type Seen = 'connecting' | 'up' | 'unconfirmed'

export interface SeenWiresOptions {
  readonly table: ConnectionTable
  /** The wires as they are wanted. */
  readonly wires: { intent(id: string): WireIntent | undefined }
  readonly dataplane: Pick<Dataplane, 'subscribe' | 'ports' | 'linkQuality'>
  readonly clock: Clock
  readonly logger: Logger
}

/** What was heard last of a session. */
interface Heard {
  readonly end: End
  readonly verdict: Verdict
  readonly fault: string | undefined
}

export class SeenWires {
  readonly #options: SeenWiresOptions
  readonly #abort = new AbortController()
  readonly #unsubscribe: readonly (() => void)[]
  /** By port. */
  readonly #sessions = new Map<string, Heard>()
  /** Those of them whose connection is not in the table yet. */
  readonly #early = new Set<string>()
  /** Ends the wait for links that are down, but not for long. */
  readonly #unconfirmed = new Map<string, () => void>()
  /** The links that are down, and why. */
  readonly #downLinks = new Map<string, string>()
  readonly #idsByLink = new Map<string, Set<string>>()
  readonly #linksById = new Map<string, readonly string[]>()
  readonly #listeners = new Listeners<[id: string]>()
  /** Ports and links of which events told since the dataplane was asked for everything: these are newer. */
  readonly #newer = new Set<string>()

  constructor(options: SeenWiresOptions) {
    this.#options = options
    const { table, dataplane } = options
    for (const { id } of table.all()) this.#follow(id)
    this.#unsubscribe = [
      dataplane.subscribe((event) => this.#onEvent(event)),
      table.subscribe(({ type, record: { id } }) => (type === 'DELETE' ? this.#forget(id) : this.#follow(id))),
    ]
    void this.#look()
  }

  /** Nothing speaks against the wire: has it been seen to work? */
  of(id: string): Seen {
    const intent = this.#options.wires.intent(id)
    const tunnels = intent === undefined ? [] : endsOf(intent).filter(isTunnel)
    const isUp = (end: End) => this.#heardOf(id, end)?.verdict === 'up'
    if (tunnels.some((end) => mechanismOf(end).hasSession && !isUp(end))) return 'connecting'
    return tunnels.every((end) => mechanismOf(end).hasSession) ? 'up' : 'unconfirmed'
  }

  /** Calls back when a wire has begun, or ceased, to be seen to work. */
  subscribe(listener: (id: string) => void): () => void {
    return this.#listeners.add(listener)
  }

  close(): void {
    this.#abort.abort()
    for (const cancel of this.#unconfirmed.values()) cancel()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  #onEvent(event: DataplaneEvent): void {
    if (event.at === 'connected') void this.#look() // what happened meanwhile was not heard
    if (event.at === 'session-up' || event.at === 'session-down') {
      this.#newer.add(event.port)
      const isUp = event.at === 'session-up'
      this.#hear(event.port, isUp ? { verdict: 'up', reason: '' } : { verdict: 'down', reason: event.reason })
    }
    if (event.at === 'link-quality-up' || event.at === 'link-quality-down') {
      const key = formatSocketAddress(event.peer)
      this.#newer.add(key)
      this.#unconfirmed.get(key)?.()
      this.#unconfirmed.delete(key)
      if (event.at === 'link-quality-up') this.#judgeLink(key, false)
      else
        this.#unconfirmed.set(
          key,
          this.#options.clock.after(CONFIRM_MS, () => this.#confirm(key)),
        )
    }
  }

  #confirm(key: string): void {
    this.#unconfirmed.delete(key)
    this.#judgeLink(key, true)
  }

  /** Everything anew. */
  async #look(): Promise<void> {
    const { table, dataplane, logger } = this.#options
    const { signal } = this.#abort
    this.#newer.clear()
    try {
      const [ports, links] = await Promise.all([dataplane.ports(signal), dataplane.linkQuality(signal)])
      for (const { id } of [...table.all()]) this.#lookAt(id, ports)
      const down = new Set(links.flatMap(({ state, peer }) => (state === 'down' ? [formatSocketAddress(peer)] : [])))
      for (const key of new Set([...this.#idsByLink.keys(), ...this.#downLinks.keys(), ...down])) {
        if (!this.#newer.has(key)) this.#judgeLink(key, down.has(key))
      }
    } catch (error) {
      if (!signal.aborted) logger.warn('Cannot see the sessions of the wires yet', { error: describeError(error) })
    }
  }

  #lookAt(id: string, ports: ReadonlyMap<string, PortStatus>): void {
    const intent = this.#options.wires.intent(id)
    for (const end of intent === undefined ? [] : endsOf(intent)) {
      const port = portId(id, end.role)
      if (mechanismOf(end).hasSession && !this.#newer.has(port)) this.#hear(port, viewEnd(end, ports.get(port)))
    }
  }

  #hear(port: string, { verdict, reason }: Pick<EndView, 'verdict' | 'reason'>): void {
    const { table, wires } = this.#options
    const { connection: id, role } = endOfPort(port)
    const intent = wires.intent(id)
    if (intent === undefined) return // its port is going
    const end = intent[role]
    const { peer } = viewEnd(end, undefined)
    const fault = verdict === 'down' ? `${noneThrough(peer)}: ${reason}` : undefined
    const wasUp = this.#sessions.get(port)?.verdict === 'up'
    this.#sessions.set(port, { end, verdict, fault })
    if (table.get(id) === undefined) this.#noteEarly(port)
    table.setFault(id, `${role} session`, fault)
    if (wasUp !== (verdict === 'up')) this.#listeners.tell(id)
  }

  /** What was heard of the session of this end, and not of the one that it has replaced. */
  #heardOf(id: string, end: End): Heard | undefined {
    const heard = this.#sessions.get(portId(id, end.role))
    return heard !== undefined && isSameSession(heard.end, end) ? heard : undefined
  }

  /** A session is up before its request is answered. Requests that fail after that leave nothing behind. */
  #noteEarly(port: string): void {
    for (const each of this.#early) {
      if (this.#options.wires.intent(endOfPort(each).connection) !== undefined) continue
      this.#early.delete(each)
      this.#forgetPort(each)
    }
    this.#early.add(port)
  }

  #judgeLink(key: string, isDown: boolean): void {
    const fault = isDown ? `no packet comes through to ${key} and back` : undefined
    if (fault === undefined) this.#downLinks.delete(key)
    else this.#downLinks.set(key, fault)
    for (const id of this.#idsByLink.get(key) ?? []) this.#options.table.setFault(id, 'link', fault)
  }

  /** The connection is there, or has changed. */
  #follow(id: string): void {
    const intent = this.#options.wires.intent(id)
    const links = intent === undefined ? [] : endsOf(intent).flatMap(linkOf)
    if (links.join() !== this.#linksById.get(id)?.join()) this.#moveTo(id, links)
    for (const role of ROLES) this.#early.delete(portId(id, role))
    // After the listeners of the table have heard of the connection itself.
    queueMicrotask(() => this.#judge(id))
  }

  #moveTo(id: string, links: readonly string[]): void {
    this.#leaveLinks(id)
    this.#linksById.set(id, links)
    for (const key of links) {
      const ids = this.#idsByLink.get(key) ?? new Set()
      this.#idsByLink.set(key, ids.add(id))
    }
  }

  /** What is known already of the way that the wire goes now. */
  #judge(id: string): void {
    const { table, wires } = this.#options
    const intent = wires.intent(id)
    if (this.#abort.signal.aborted || intent === undefined) return
    const downLinks = (this.#linksById.get(id) ?? []).flatMap((key) => this.#downLinks.get(key) ?? [])
    table.setFault(id, 'link', downLinks[0])
    for (const end of endsOf(intent)) table.setFault(id, `${end.role} session`, this.#heardOf(id, end)?.fault)
  }

  #forget(id: string): void {
    this.#leaveLinks(id)
    this.#linksById.delete(id)
    for (const role of ROLES) this.#forgetPort(portId(id, role))
  }

  #forgetPort(port: string): void {
    this.#sessions.delete(port)
    this.#newer.delete(port)
  }

  #leaveLinks(id: string): void {
    for (const key of this.#linksById.get(id) ?? []) {
      const ids = this.#idsByLink.get(key)
      ids?.delete(id)
      if (ids?.size === 0) this.#idsByLink.delete(key)
    }
  }
}

const ROLES = ['client', 'server'] as const

function endsOf({ client, server }: WireIntent): readonly End[] {
  return [client, server]
}

function isTunnel(end: End): boolean {
  return mechanismOf(end).cls === 'REMOTE'
}

/** The link that an end shares with others, if probes measure it. */
function linkOf(end: End): readonly string[] {
  const { peer, isProbed } = viewEnd(end, undefined)
  return isProbed && peer !== undefined ? [formatSocketAddress(peer)] : []
}

function noneThrough(peer: SocketAddress | undefined): string {
  return `no packet of this wire comes through${peer === undefined ? '' : ` to ${formatSocketAddress(peer)}`} and back`
}
