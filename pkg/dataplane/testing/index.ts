/** For tests: a dataplane in memory. */
export { fakeDataplane } from './fake-dataplane.ts'
export { type FakeDevices, FakeEngine } from './fake-engine.ts'
