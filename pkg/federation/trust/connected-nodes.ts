/**
 * The nodes that follow whom the domain trusts at this moment. A node is one machine: two that run under one name, because
 * a state directory was copied or a name given twice, would take each other's address and registrations without end. The
 * first one keeps the name while it is connected, and both are told.
 */
import { type Clock, Deadlines, type Logger, NsmError } from '../../base/index.ts'

/** A run of a node daemon, as it introduces itself. */
export interface NodeRun {
  /** Where other nodes call it. */
  readonly url: string
  /** Random, of this run; empty for a node of 0.2 and earlier, which is told apart by its URL. */
  readonly instance: string
}

interface Connected {
  run: NodeRun
  streams: number
}

/** A refused one tries again every few seconds: one that has not for so long is gone. */
const NAMESAKE_MS = 30_000
/** Of what a run says of itself: others are told of it. */
const MAX_CHARS = 64

export class ConnectedNodes {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #connected = new Map<string, Connected>()
  readonly #namesakes = new Map<string, string>()
  readonly #listeners = new Set<(node: string) => void>()
  readonly #gone: Deadlines

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
    this.#gone = new Deadlines(clock, (node) => this.#setNamesake(node, undefined))
  }

  /**
   * Returns how it leaves again.
   * @throws {NsmError} `already_exists` while another run has this name and is connected, `invalid_argument`
   */
  enter(node: string, run: NodeRun): () => void {
    if (run.instance.length > MAX_CHARS || run.url.length > MAX_CHARS) {
      throw new NsmError(
        'invalid_argument',
        'Cannot follow whom the domain trusts: the URL or the instance is too long',
      )
    }
    const known = this.#connected.get(node)
    if (known !== undefined && !isSame(known.run, run)) throw this.#refuse(node, known.run, run)
    const connected = known ?? { run, streams: 0 }
    connected.run = run
    connected.streams += 1
    this.#connected.set(node, connected)
    if (this.namesakeOf(node) === run.url) this.#setNamesake(node, undefined)
    return () => {
      connected.streams -= 1
      if (connected.streams === 0) this.#connected.delete(node)
    }
  }

  /** Where another machine runs under the name of this node and is refused; empty: nowhere. */
  namesakeOf(node: string): string {
    return this.#namesakes.get(node) ?? ''
  }

  /** Called with the name of a node whose namesake has come or gone. */
  subscribe(listener: (node: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#gone.close()
  }

  #refuse(node: string, first: NodeRun, second: NodeRun): NsmError {
    this.#gone.set(node, this.#clock.nowMs() + NAMESAKE_MS)
    if (this.namesakeOf(node) !== second.url) {
      this.#logger.warn('Two machines run as one node: the second is refused', {
        node,
        first: first.url,
        second: second.url,
      })
    }
    this.#setNamesake(node, second.url)
    return new NsmError('already_exists', 'Cannot run as this node: another machine does, and is connected', {
      fields: { node, at: first.url },
      next: 'give this one a name of its own (NSM_NAME), an empty state directory, and a token: nsmctl node invite <name>',
    })
  }

  #setNamesake(node: string, url: string | undefined): void {
    if (this.#namesakes.get(node) === url) return
    if (url === undefined) this.#namesakes.delete(node)
    else this.#namesakes.set(node, url)
    for (const listener of [...this.#listeners]) listener(node)
  }
}

function isSame(a: NodeRun, b: NodeRun): boolean {
  return a.instance === '' && b.instance === '' ? a.url === b.url : a.instance === b.instance
}
