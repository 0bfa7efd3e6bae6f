/** For tests: time that stands still until a test moves it. */
export { FakeClock } from './fake-clock.ts'
