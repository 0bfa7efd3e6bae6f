/** What was said of one pod, and what there is to say next: its condition, and events. */
import type { Clock } from '../../base/index.ts'
import { type KubeClient, unlessOutdated } from '../../kube/index.ts'
import { PODS, type PodCondition } from '../pods/pod.ts'
import { PodEvents } from './pod-events.ts'
import { areUp, isSameCondition, type PodReport } from './report.ts'
import { WriteBudget } from './write-budget.ts'

export interface ReporterOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>
  readonly nodeName: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** One call of the API server. */
export interface Write {
  readonly budget: WriteBudget
  run(): Promise<void>
}

/** A wire that is not up yet, or heals, may be up in a moment. */
const SETTLE_MS = 2_000
/** After a restart, what an earlier run has said of wires holds until they have been taken up again. */
const TAKEN_UP_MS = 20_000
/** Three writes at the start of a pod, and later as many as a person could read. */
const CONDITION_BUDGET = { burst: 2, everyMs: 30_000 }
const EVENT_BUDGET = { burst: 1, everyMs: 30_000 }

export class PodReporter {
  readonly #options: ReporterOptions
  readonly #events: PodEvents
  readonly #conditionBudget: WriteBudget
  readonly #eventBudget: WriteBudget
  #report: PodReport
  /** What we wrote and the API server has not told us yet. */
  #written: PodCondition | undefined
  /** Whether all its wires have been up in this run. */
  #hasBeenUp = false
  /** Since when not all is well; undefined while it is. */
  #unwellSinceMs: number | undefined
  /** Whether it was compared with what an earlier run has said. */
  #isCompared = false

  constructor(report: PodReport, options: ReporterOptions) {
    this.#options = options
    this.#events = new PodEvents(options)
    this.#conditionBudget = new WriteBudget(CONDITION_BUDGET, options.clock)
    this.#eventBudget = new WriteBudget(EVENT_BUDGET, options.clock)
    this.#report = report
    this.set(report)
  }

  /** What there is to say now. */
  get report(): PodReport {
    return this.#report
  }

  set(report: PodReport): void {
    if (!isSameCondition(this.#report.pod.condition, report.pod.condition)) this.#written = undefined
    this.#report = report
    if (areUp(report.wires)) this.#hasBeenUp = true
    this.#unwellSinceMs = isWell(report) ? undefined : (this.#unwellSinceMs ?? this.#options.clock.nowMs())
  }

  /** For how long nothing is said yet. */
  get settleMs(): number {
    if (this.#unwellSinceMs === undefined) return 0
    const isTrusted = !this.#hasBeenUp && this.#report.pod.condition?.status === 'True'
    const untilMs = this.#unwellSinceMs + (isTrusted ? TAKEN_UP_MS : SETTLE_MS)
    return Math.max(0, untilMs - this.#options.clock.nowMs())
  }

  /** Undefined when all is said. What readiness waits for comes first. */
  nextWrite(): Write | undefined {
    const { pod, wires, condition } = this.#report
    const isSaid = condition === undefined || isSameCondition(condition, this.#standing)
    if (!this.#isCompared && condition !== undefined && isSaid) this.#events.skip(wires)
    this.#isCompared = true
    const telling = this.#events.next(this.#report)
    const writes: Write[] = []
    if (!isSaid) writes.push({ budget: this.#conditionBudget, run: () => this.#writeCondition(condition) })
    if (telling !== undefined) writes.push({ budget: this.#eventBudget, run: () => this.#events.tell(pod, telling) })
    return writes.sort((a, b) => a.budget.waitMs - b.budget.waitMs)[0]
  }

  get #standing(): PodCondition | undefined {
    return this.#written ?? this.#report.pod.condition
  }

  /** Of this pod only, and not of another one that has its name by now. */
  async #writeCondition(condition: PodCondition): Promise<void> {
    const { client, clock, signal } = this.#options
    const { uid, name, namespace } = this.#report.pod
    const isTurned = this.#standing?.status !== condition.status
    const lastTransitionTime = new Date(clock.nowMs()).toISOString()
    const written = { ...condition, ...(isTurned && { lastTransitionTime }) }
    const body = { metadata: { uid }, status: { conditions: [written] } }
    const options = { type: 'strategic', subresource: 'status', body, signal } as const
    const answer = await unlessOutdated(client.patch(PODS, { namespace, name }, options))
    if (answer !== undefined) this.#written = condition
  }
}

function isWell({ wires, endpoint }: PodReport): boolean {
  return areUp(wires) && endpoint?.at !== 'denied'
}
