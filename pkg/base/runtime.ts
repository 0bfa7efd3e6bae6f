import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'

/** What a program passes to the components that it starts. */
export interface Runtime {
  readonly clock: Clock
  readonly logger: Logger
  /** Aborts when the program has to stop, which cancels a startup that is still waiting. */
  readonly signal: AbortSignal
}
