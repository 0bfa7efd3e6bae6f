/** A workload's side of the mesh: what it wants, and the wires that it keeps. */
export type { WantedWire } from './first-request.ts'
export { KeptWire, type KeptWireOptions, type KeptWireState } from './kept-wire.ts'
export { type NsmUrl, parseNsmUrl, parseNsmUrls } from './nsm-url.ts'
