/**
 * Failure injection. Every operation of a fake passes through one function, which can throw, hang, or simulate a crash
 * before or after the effect. The fakes of the platform and of the dataplane share it.
 */
export interface Operation {
  /** The command in the transcript, or a description of a read, such as `list links`. */
  readonly command: string
  readonly isWrite: boolean
}

/** Calls `effect` at most once. While it waits it must observe the signal. */
export type Intercept = (operation: Operation, effect: () => void, signal: AbortSignal) => Promise<void>
export type Selects = (operation: Operation) => boolean

export const passThrough: Intercept = async (_operation, effect) => effect()

/** Simulates the death of the process at this point. Tests catch it and restart on the same fake kernel. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

/** The selected operations throw the error of `makeError` and have no effect. */
export function failing(selects: Selects, makeError: () => unknown): Intercept {
  return async (operation, effect) => {
    if (selects(operation)) throw makeError()
    effect()
  }
}

/** The selected operations have no effect and end only when their signal aborts. */
export function hanging(selects: Selects): Intercept {
  return async (operation, effect, signal) => {
    if (selects(operation)) await aborted(signal)
    effect()
  }
}

/** The first selected operation throws {@link Crash}, before or after its effect, and so do all operations after it. */
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

/** Selects the `n`th write, counted from 0, so that a test can fail at every step of a change in turn. */
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
