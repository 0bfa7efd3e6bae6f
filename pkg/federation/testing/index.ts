/** For tests: domains in one process, a store that fails on command, and the suite that every trust store passes. */
export { callOf, type TestDomain, TestWorld } from './test-world.ts'
export { type OpenTrustStore, trustStoreConformance } from './trust-store-conformance.ts'
export { type Death, UnreliableStore } from './unreliable-store.ts'
