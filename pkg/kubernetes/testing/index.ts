/** For tests: a keeper that keeps nothing, an API server that takes all, and pods. */
export { FakeApiServer } from './fake-api-server.ts'
export { FakeKeeper, FakeNamespaces } from './fake-keeper.ts'
export { podOf } from './pods.ts'
