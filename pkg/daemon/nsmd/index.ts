/** The node daemon. */
export type { Machine } from './machine.ts'
export { type NodeOptions, nsmdProgram, startNode } from './nsmd.ts'
