/** For tests: a clock that stands still until the test advances it, and one that runs and can be moved on. */
export { FakeClock } from './fake-clock.ts'
export { aheadOf, MovingClock } from './moving-clock.ts'
