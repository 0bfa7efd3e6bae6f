import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'

/** What a program gives to the parts that it starts. */
export interface Runtime {
  readonly clock: Clock
  readonly logger: Logger
  /** Aborts when the program is to end: for what waits during the start. */
  readonly signal: AbortSignal
}
