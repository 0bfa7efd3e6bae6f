/**
 * Tells the API server how the wires of this node's pods are: events, and one condition of each pod. What there is to say
 * is compared with what was said, so nothing is written twice, also after a restart, and no wire ever waits for it.
 *
 *     a pod has changed --> once its wires are up, or 2 s later --> one write of one pod at a time --> API server
 *                                                                   ^ what is too often or is not taken waits
 */
import {
  type Clock,
  Deadlines,
  describeError,
  follow,
  isAway,
  type Logger,
  limitedLogger,
  NsmError,
} from '../../base/index.ts'
import { ForbiddenError } from '../../kube/index.ts'
import type { NodePods } from '../pods/node-pods.ts'
import type { Pod } from '../pods/pod.ts'
import { PodReporter, type ReporterOptions, type Write } from './pod-reporter.ts'
import { reportOf } from './report.ts'

export interface PodReportsOptions extends Pick<ReporterOptions, 'client' | 'nodeName'> {
  readonly pods: Pick<NodePods, 'status' | 'uids' | 'subscribe'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Between two writes of this node. */
const PAUSE_MS = 20
const RETRY = { firstMs: 500, maxMs: 30_000 }
const REFUSED_MS = 60_000
/** When the API server fails at a write, that may be for this pod alone, such as by a webhook of its namespace. */
const FAILED_MS = 5_000
const INTERNAL_ERROR = 500

export class PodReports {
  readonly #options: PodReportsOptions
  readonly #reporters = new Map<string, PodReporter>()
  /** Pods that are looked at next, in order. */
  readonly #due = new Set<string>()
  /** When others are looked at. */
  readonly #dueMs = new Map<string, number>()
  readonly #deadlines: Deadlines
  readonly #stop = new AbortController()
  readonly #logger: ReturnType<typeof limitedLogger>
  #unsubscribe = () => {}
  #running = Promise.resolve()
  #wake = () => {}

  constructor(options: PodReportsOptions) {
    const { clock, logger } = options
    this.#options = options
    this.#logger = limitedLogger(logger, { clock })
    this.#deadlines = new Deadlines(clock, (uid) => this.#fallDue(uid))
  }

  /** To be called once all pods and namespaces are known: before, it would say what is not so. */
  begin(): void {
    const { pods, clock, logger } = this.#options
    if (this.#stop.signal.aborted) return
    this.#unsubscribe = pods.subscribe((uid) => this.#onChange(uid))
    for (const uid of pods.uids()) this.#onChange(uid)
    const log = { logger, message: 'Cannot tell of the wires of pods, retrying' }
    this.#running = follow({ clock, retry: RETRY, signal: this.#stop.signal, log }, (works) => this.#run(works))
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    this.#stop.abort()
    this.#deadlines.close()
    this.#wake()
    await this.#running
    this.#logger.close()
  }

  #onChange(uid: string): void {
    const status = this.#options.pods.status(uid)
    const before = this.#reporters.get(uid)
    const report = status && reportOf(status, before?.report)
    if (report === undefined) {
      this.#forget(uid)
      return
    }
    const reporter = before ?? new PodReporter(report, { ...this.#options, signal: this.#stop.signal })
    this.#reporters.set(uid, reporter)
    reporter.set(report)
    this.#lookAt(uid, reporter.settleMs)
  }

  #forget(uid: string): void {
    this.#reporters.delete(uid)
    this.#due.delete(uid)
    this.#dueMs.delete(uid)
    this.#deadlines.clear(uid)
  }

  /** At the earliest of all the times that were asked for. */
  #lookAt(uid: string, waitMs: number): void {
    const dueMs = this.#options.clock.nowMs() + waitMs
    if (this.#due.has(uid) || (this.#dueMs.get(uid) ?? Number.POSITIVE_INFINITY) <= dueMs) return
    this.#dueMs.set(uid, dueMs)
    if (waitMs > 0) this.#deadlines.set(uid, dueMs)
    else this.#fallDue(uid)
  }

  #fallDue(uid: string): void {
    this.#deadlines.clear(uid)
    this.#dueMs.delete(uid)
    this.#due.add(uid)
    this.#wake()
  }

  async #run(works: () => void): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stop
    for (;;) {
      signal.throwIfAborted()
      const [uid] = this.#due
      const reporter = uid === undefined ? undefined : this.#reporters.get(uid)
      if (uid === undefined || reporter === undefined) await this.#woken()
      else if (await this.#look(uid, reporter)) {
        works()
        await clock.sleep(PAUSE_MS, signal)
      }
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** The pod stays due until the API server has answered. Resolves to whether it was called. */
  async #look(uid: string, reporter: PodReporter): Promise<boolean> {
    const next = reporter.nextWrite()
    const waitMs = Math.max(reporter.settleMs, next?.budget.waitMs ?? 0)
    const isCalled = next !== undefined && waitMs === 0
    const untakenMs = isCalled ? await this.#try(next, reporter.report.pod) : 0
    if (this.#reporters.get(uid) !== reporter) return isCalled // the pod went meanwhile
    this.#due.delete(uid)
    if (next !== undefined) this.#lookAt(uid, untakenMs === 0 ? waitMs : untakenMs)
    return isCalled
  }

  /**
   * Resolves to how long the pod waits, because the write was not taken; 0: it was.
   * @throws when the API server is away
   */
  async #try(write: Write, { name, namespace }: Pod): Promise<number> {
    try {
      await write.run()
      write.budget.take()
      return 0
    } catch (error) {
      const untakenMs = untakenFor(error)
      if (this.#stop.signal.aborted || untakenMs === undefined) throw error
      write.budget.take()
      const fields = { pod: name, namespace, error: describeError(error) }
      this.#logger.warn('Cannot tell of the wires of a pod: the API server does not take it', fields)
      return untakenMs
    }
  }
}

/** Undefined where it is not about this pod: the API server is away, for all of them. */
function untakenFor(error: unknown): number | undefined {
  if (error instanceof ForbiddenError || !isAway(error)) return REFUSED_MS
  return error instanceof NsmError && error.fields['status'] === INTERNAL_ERROR ? FAILED_MS : undefined
}
