import { type Clock, NsmError } from '../base/index.ts'

export interface TimeLimit {
  readonly signal: AbortSignal
  /** Must be called, or the timer stays. */
  done(): void
}

/** A signal that aborts after `ms` of the clock, or with one of the parents. */
export function bounded(clock: Clock, ms: number, parents: readonly AbortSignal[]): TimeLimit {
  const timer = new AbortController()
  const expire = () => timer.abort(new NsmError('deadline_exceeded', 'Cannot finish in time', { fields: { ms } }))
  return { signal: AbortSignal.any([...parents, timer.signal]), done: clock.after(ms, expire) }
}
