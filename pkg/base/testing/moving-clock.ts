import { type Clock, sleepWith, systemClock } from '../clock.ts'

interface Timer {
  readonly atMs: number
  readonly callback: () => void
  cancel: () => void
}

/** A process whose event loop does next to nothing during several such pauses waits for time to pass. */
const PAUSE_MS = 2
const PAUSES = 3
const IDLE_MS = 0.5

/** No call between programs has a shorter time limit. */
const GRAIN_MS = 1_000

/**
 * A clock that runs, and that a test moves on: for whole programs, whose calls over real sockets take real time. What
 * they have agreed on by gRPC and TLS alone, such as the deadline of a call, still follows the machine's clock.
 */
export class MovingClock implements Clock {
  readonly #timers = new Set<Timer>()
  #aheadMs = 0

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#aheadMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, ms, signal)
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { atMs: this.monotonicMs() + Math.max(ms, 0), callback, cancel: () => {} }
    this.#timers.add(timer)
    this.#arm(timer)
    return () => {
      timer.cancel()
      this.#timers.delete(timer)
    }
  }

  /**
   * Lets `ms` pass in steps, each to the next timer. Before the next step, what a timer has begun is done: so no call is
   * late because time was moved on, also where it rests for a moment.
   *
   * @param grainMs what is due so soon after each other happens at once
   */
  async pass(ms: number, grainMs = GRAIN_MS): Promise<void> {
    for (let leftMs = ms; leftMs > 0; ) {
      const nextMs = Math.min(...[...this.#timers].map(({ atMs }) => atMs)) - this.monotonicMs()
      const stepMs = Math.ceil(Math.min(Math.max(nextMs, 0) + grainMs, leftMs)) // a clock shows whole milliseconds
      await this.leap(stepMs)
      leftMs -= stepMs
    }
  }

  /** `ms` later in one step, as for a machine that was suspended. */
  async leap(ms: number): Promise<void> {
    this.#aheadMs += ms
    const nowMs = this.monotonicMs()
    const due = [...this.#timers].filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs)
    for (const timer of due) if (this.#timers.has(timer)) this.#fire(timer)
    for (const timer of this.#timers) this.#arm(timer)
    if (due.length > 0) await untilIdle()
  }

  #arm(timer: Timer): void {
    timer.cancel()
    timer.cancel = systemClock.after(timer.atMs - this.monotonicMs(), () => this.#fire(timer))
  }

  #fire(timer: Timer): void {
    timer.cancel()
    this.#timers.delete(timer)
    timer.callback()
  }
}

/**
 * Until what has begun waits for a timer: all that a timer causes happens in this process. It may rest by the machine's
 * clock, as searches do, for as long as it has worked.
 */
async function untilIdle(): Promise<void> {
  let restMs = 0
  for (let idle = 0; idle < PAUSES || restMs > 0; ) {
    const before = performance.eventLoopUtilization()
    await systemClock.sleep(PAUSE_MS)
    const { active } = performance.eventLoopUtilization(before)
    const isIdle = active < IDLE_MS
    idle = isIdle ? idle + 1 : 0
    restMs = isIdle ? Math.max(0, restMs - PAUSE_MS) : restMs + active
  }
}

/** A clock that shows another time than `clock` and runs with it. */
export function aheadOf(clock: Clock, ms: number): Clock {
  return {
    nowMs: () => clock.nowMs() + ms,
    monotonicMs: () => clock.monotonicMs(),
    sleep: (sleepMs, signal) => clock.sleep(sleepMs, signal),
    after: (afterMs, callback) => clock.after(afterMs, callback),
  }
}
