/** Reconciles desired with actual state, per owner. The kinds of objects are passed in. */
export { type AnyKind, type Desired, type Kind, NODE_PLACE, want } from './kind.ts'
export type { KindCounts } from './kind-counters.ts'
export type { OwnerStatus } from './owner.ts'
export { Reconciler, type ReconcilerOptions } from './reconciler.ts'
export type { Sighting } from './sightings.ts'
