/** For tests: a kernel in memory with failure injection. */
export { FakeKernel } from './fake-kernel.ts'
export { fakePlatform } from './fake-platform.ts'
export {
  Crash,
  crashing,
  failing,
  hanging,
  type Intercept,
  nthWrite,
  type Operation,
  passThrough,
  type Selects,
} from './intercept.ts'
