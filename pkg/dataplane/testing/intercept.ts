/** Failure injection, of the same shape as the platform's fakes so that one injected failure serves both. */
export interface Operation {
  readonly command: string
  readonly isWrite: boolean
}

/** Calls `effect` zero or one times. A signal that aborts must end its waiting. */
export type Intercept = (operation: Operation, effect: () => void, signal: AbortSignal) => Promise<void>
