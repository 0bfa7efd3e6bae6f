/** The node daemon. */
export type { Machine } from './machine.ts'
export { type NodeOptions, startNode } from './nsmd.ts'
