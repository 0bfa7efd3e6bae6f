/** For tests: a clock that stands still until the test advances it. */
export { FakeClock } from './fake-clock.ts'
