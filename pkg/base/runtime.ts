import type { Clock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { Logger } from './logger.ts'

/** What a program passes to the components that it starts. */
export interface Runtime {
  readonly clock: Clock
  readonly logger: Logger
  /** Aborts when the program has to stop, which cancels a startup that is still waiting. */
  readonly signal: AbortSignal
  /** Faults of the program that nobody caught; absent where something else runs the components, such as a test. */
  readonly faults?: Faults
}
