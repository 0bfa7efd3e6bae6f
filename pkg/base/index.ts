/** Errors, time, queues, lifetimes and names, for use in every folder. No I/O, no globals. */
export { Backoff, type BackoffOptions } from './backoff.ts'
export { type Chain, chain, type OpenChain, type Step } from './chain.ts'
export { type Clock, systemClock, type TimeLimit, within } from './clock.ts'
export { Deadlines } from './deadlines.ts'
export {
  describeError,
  type ErrorCode,
  type ErrorFields,
  errorCode,
  isAway,
  NsmError,
  type NsmErrorOptions,
  nextStep,
  StreamRenewal,
} from './errors.ts'
export { Faults } from './faults.ts'
export { follow, followStream, type RetryOptions, retryUntilDone, type UntilOptions } from './follow.ts'
export { KeyedQueue } from './keyed-queue.ts'
export { type LimitedLogger, type LimitOptions, limitedLogger } from './limited-logger.ts'
export { Listeners } from './listeners.ts'
export { type LogFields, type Logger, silentLogger } from './logger.ts'
export {
  isDomainOrNodeName,
  isObjectId,
  isRegisteredName,
  type QualifiedName,
  qualifyName,
  splitName,
} from './names.ts'
export { type Pace, paced } from './paced.ts'
export { Places } from './places.ts'
export { isPrintable, toPrintable, toPrintableLines } from './printable.ts'
export type { Runtime } from './runtime.ts'
export { Scope } from './scope.ts'
export { VERSION } from './version.ts'
