/**
 * Which run of a node daemon has the name of a node. A node is one machine: two that run under one name, because a state
 * directory was copied or a name given twice, would take each other's address and registrations without end. The first
 * one keeps the name while it is connected, at whichever replica of the registry, and both are told.
 *
 * The records decide, and not what one replica has in memory:
 *
 *     a run comes, the name is free             --> the record names the run
 *     another one comes from the same address   --> the first has ended, or does within 3 s: the record names the other
 *     another one comes from elsewhere          --> it asks for the name in the record, and is refused
 *     the replica where the first is connected  --> sees that in the store, and answers
 *     no replica has answered within 3 s        --> the first is gone: the next attempt of the other one gets the name
 */
import {
  type Clock,
  Deadlines,
  describeError,
  errorCode,
  KeyedQueue,
  Listeners,
  type Logger,
  NsmError,
} from '../../base/index.ts'
import type { Namesake, NodeRecord, NodeRun } from '../store/trust-record.ts'
import type { RecordChange, TrustRecords } from './trust-records.ts'

interface Connected {
  run: NodeRun
  streams: number
  /** Done when the last stream has ended. */
  readonly left: Promise<void>
  readonly leave: () => void
}

export interface ConnectedNodesOptions {
  readonly records: TrustRecords
  readonly clock: Clock
  readonly logger: Logger
}

/** How long a replica has to answer for a run that is connected to it. */
const ANSWER_MS = 3_000
/** A daemon that was started again may be here before the end of its former connection is. */
const LEAVE_MS = 3_000
/** How often the first run is asked for again while the other one goes on to try. */
const ASK_MS = 10_000
/** A refused one tries again every few seconds: one that has not for so long is gone. */
const NAMESAKE_MS = 30_000
/** Of what a run says of itself: others are told of it. */
const MAX_CHARS = 64

export class ConnectedNodes {
  readonly #options: ConnectedNodesOptions
  /** The runs that are connected to this replica. */
  readonly #here = new Map<string, Connected>()
  /** One entry, exit or answer of a node at a time. */
  readonly #queue = new KeyedQueue()
  readonly #listeners = new Listeners<[node: string]>()
  readonly #gone: Deadlines
  readonly #unsubscribe: () => void
  #isClosed = false

  constructor(options: ConnectedNodesOptions) {
    this.#options = options
    this.#gone = new Deadlines(options.clock, (node) => this.#listeners.tell(node))
    this.#unsubscribe = options.records.subscribe((changes) => {
      for (const change of changes) this.#onChange(change)
    })
  }

  /**
   * Returns how it leaves again.
   * @throws {NsmError} `already_exists` while another run has this name and is connected, `invalid_argument`
   */
  async enter(node: string, run: NodeRun): Promise<() => void> {
    if (run.instance.length > MAX_CHARS || run.url.length > MAX_CHARS) {
      throw new NsmError(
        'invalid_argument',
        'Cannot follow whom the domain trusts: the URL or the instance is too long',
      )
    }
    await this.#untilFormerLeft(node, run)
    return this.#queue.run(node, async () => {
      await this.#claim(node, run)
      const connected = this.#here.get(node) ?? connectedAs(run)
      connected.run = run
      connected.streams += 1
      this.#here.set(node, connected)
      return () => void this.#queue.run(node, () => this.#leave(node, connected))
    })
  }

  /**
   * A second machine that joins under a name ends the identity of the first one.
   * @throws {NsmError} `already_exists` while a machine of that name is connected to this replica
   */
  checkMayJoin(node: string): void {
    const connected = this.#here.get(node)
    if (connected === undefined) return
    throw new NsmError('already_exists', 'Cannot join the domain: a node of that name has joined, and is connected', {
      fields: { node, at: connected.run.url },
      next: `give this one another name, or end that one first: nsmctl node revoke ${node}`,
    })
  }

  /** Where another machine runs under the name of this node and is refused; empty: nowhere. */
  namesakeOf(node: string): string {
    const namesake = this.#options.records.get('node', node)?.namesake
    const isTold = namesake?.answeredMs !== undefined && this.#nowMs() < namesake.askedMs + NAMESAKE_MS
    return isTold ? namesake.url : ''
  }

  /** Called with the name of a node whose namesake has come or gone. */
  subscribe(listener: (node: string) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Whoever leaves from now on stays in the records: it is the registry that ends, and not the node. */
  close(): void {
    this.#isClosed = true
    this.#unsubscribe()
    this.#gone.close()
  }

  async #untilFormerLeft(node: string, run: NodeRun): Promise<void> {
    const former = this.#here.get(node)
    if (former === undefined || isSame(former.run, run) || former.run.url !== run.url) return
    const stop = new AbortController()
    const isLate = this.#options.clock.sleep(LEAVE_MS, stop.signal).catch(() => {})
    await Promise.race([former.left, isLate])
    stop.abort()
  }

  async #claim(node: string, run: NodeRun): Promise<void> {
    const here = this.#here.get(node)?.run
    let refused: NodeRun | undefined
    try {
      await this.#options.records.change('node', node, (stored) => {
        const first = stored?.run ?? here
        refused = undefined
        if (first === undefined || isSame(first, run)) return stored && named(stored, run)
        const isHere = here !== undefined && isSame(here, first)
        // Nobody is connected from there any more, and two machines have no address in common.
        const isRestarted = !isHere && first.url === run.url && run.url !== ''
        const isGone = !isHere && hasNoAnswer(stored?.namesake, run, this.#nowMs())
        if (stored !== undefined && (isRestarted || isGone)) return named(stored, run)
        refused = first
        return stored && { ...stored, namesake: askedBy(run, stored.namesake, { nowMs: this.#nowMs(), isHere }) }
      })
    } catch (error) {
      // On a full disk, or with the store away, a member hears all the same whom to trust.
      if (!['resource_exhausted', 'unavailable'].includes(errorCode(error))) throw error
      this.#options.logger.warn('Cannot note which machine is a node', { node, error: describeError(error) })
      if (here !== undefined && !isSame(here, run)) refused = here
    }
    if (refused !== undefined) throw isTaken(node, refused)
  }

  async #leave(node: string, connected: Connected): Promise<void> {
    connected.streams -= 1
    if (connected.streams > 0) return
    this.#here.delete(node)
    connected.leave()
    if (this.#isClosed) return
    await this.#change(node, (stored) => {
      if (stored.run === undefined || !isSame(stored.run, connected.run)) return stored
      const { run: _, namesake: __, ...free } = stored
      return free
    })
  }

  #onChange({ before, after }: RecordChange): void {
    const record = after ?? before
    if (record?.kind !== 'node') return
    const was = before?.kind === 'node' ? before.namesake : undefined
    const { name, run, namesake } = after?.kind === 'node' ? after : record
    const here = this.#here.get(name)?.run
    const isMine = here !== undefined && run !== undefined && isSame(here, run)
    if (namesake !== undefined && namesake.answeredMs !== namesake.askedMs && isMine) this.#answer(name)
    if (namesake?.answeredMs !== undefined) this.#gone.set(name, namesake.askedMs + NAMESAKE_MS)
    if (refusedAt(was) === refusedAt(namesake)) return
    const fields = { node: name, first: run?.url, second: refusedAt(namesake) }
    if (fields.second !== '') this.#options.logger.warn('Two machines run as one node: the second is refused', fields)
    this.#listeners.tell(name)
  }

  #answer(node: string): void {
    void this.#change(node, (stored) => {
      const { namesake } = stored
      return namesake === undefined ? stored : { ...stored, namesake: { ...namesake, answeredMs: namesake.askedMs } }
    })
  }

  async #change(node: string, decide: (stored: NodeRecord) => NodeRecord): Promise<void> {
    const { records, logger } = this.#options
    await records
      .change('node', node, (stored) => stored && decide(stored))
      .catch((error: unknown) => {
        if (this.#isClosed) return
        logger.warn('Cannot note which machine is a node', { node, error: describeError(error) })
      })
  }

  #nowMs(): number {
    return this.#options.clock.nowMs()
  }
}

function connectedAs(run: NodeRun): Connected {
  const { promise: left, resolve: leave } = Promise.withResolvers<void>()
  return { run, streams: 0, left, leave }
}

function named(stored: NodeRecord, { instance, url }: NodeRun): NodeRecord {
  if (stored.run?.instance === instance && stored.run.url === url) return stored
  const { namesake: _, ...others } = stored
  return { ...others, run: { instance, url } }
}

/** Where the second machine is, once it is known that the first one is there. */
function refusedAt(namesake: Namesake | undefined): string {
  return namesake?.answeredMs === undefined ? '' : namesake.url
}

/** Whether this run has asked for the name, and nobody has answered for the one that has it. */
function hasNoAnswer(namesake: Namesake | undefined, run: NodeRun, nowMs: number): boolean {
  if (namesake === undefined || !isSame(namesake, run) || namesake.answeredMs === namesake.askedMs) return false
  return nowMs - namesake.askedMs >= ANSWER_MS
}

function askedBy(
  { instance, url }: NodeRun,
  before: Namesake | undefined,
  { nowMs, isHere }: { readonly nowMs: number; readonly isHere: boolean },
): Namesake {
  const isSameRun = before !== undefined && isSame(before, { instance, url })
  if (isSameRun && nowMs - before.askedMs < ASK_MS) return before
  const answered = isHere ? nowMs : isSameRun ? before.answeredMs : undefined
  return { instance, url, askedMs: nowMs, ...(answered === undefined ? {} : { answeredMs: answered }) }
}

function isTaken(node: string, first: NodeRun): NsmError {
  return new NsmError('already_exists', 'Cannot run as this node: another machine does, and is connected', {
    fields: { node, at: first.url },
    next: 'give this one a name of its own (NSM_NAME), an empty state directory, and a token: nsmctl node invite <name>',
  })
}

function isSame(a: NodeRun, b: NodeRun): boolean {
  return a.instance === '' && b.instance === '' ? a.url === b.url : a.instance === b.instance
}
