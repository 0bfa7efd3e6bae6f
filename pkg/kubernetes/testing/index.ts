/** For tests: a keeper that keeps nothing, and pods. */
export { FakeKeeper, FakeNamespaces } from './fake-keeper.ts'
export { podOf } from './pods.ts'
