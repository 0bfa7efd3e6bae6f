/**
 * Failure injection: whatever a fake does passes through one function, which may throw, wait, or "crash" instead of or
 * after the effect. The fakes of the platform and of the dataplane share this shape.
 */
export interface Operation {
  /** The command of the transcript, or `list links` and the like. */
  readonly command: string
  readonly isWrite: boolean
}

/** Calls `effect` zero or one times. A signal that aborts must end its waiting. */
export type Intercept = (operation: Operation, effect: () => void, signal: AbortSignal) => Promise<void>
export type Selects = (operation: Operation) => boolean

export const passThrough: Intercept = async (_operation, effect) => effect()

/** What a process that died here would have left behind. Tests catch it and start anew on the same fake kernel. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

/** The selected operations throw what `makeError` gives, without an effect. */
export function failing(selects: Selects, makeError: () => unknown): Intercept {
  return async (operation, effect) => {
    if (selects(operation)) throw makeError()
    effect()
  }
}

/** The selected operations have no effect and end only by their signal. */
export function hanging(selects: Selects): Intercept {
  return async (operation, effect, signal) => {
    if (selects(operation)) await aborted(signal)
    effect()
  }
}

/** The first selected operation, and everything after it, throws {@link Crash}; that first one before or after its effect. */
export function crashing(selects: Selects, when: 'before' | 'after'): Intercept {
  let isDown = false
  return async (operation, effect) => {
    const isHere = !isDown && selects(operation)
    if (isHere && when === 'after') effect()
    isDown ||= isHere
    if (isDown) throw new Crash(`${when} ${operation.command}`)
    effect()
  }
}

/** Selects the `n`th write, counted from 0: with it a test walks through every step of a change. */
export function nthWrite(n: number): Selects {
  let seen = 0
  return ({ isWrite }) => isWrite && seen++ === n
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
