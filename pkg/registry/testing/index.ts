/** For tests: sample registrations and exports, and the suite that every registry store passes. */
export { callOf, collect, endpoint, FakeExports, Reader, registering, service } from './registrations.ts'
export { registryStoreConformance } from './store-conformance.ts'
