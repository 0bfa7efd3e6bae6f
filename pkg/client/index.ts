/** The workload's side of the mesh: requests wires and maintains them. */

export { KeptWire, type KeptWireOptions, type KeptWireState } from './kept-wire.ts'
export { KeptWires, type KeptWiresOptions } from './kept-wires.ts'
export { type NsmUrl, parseNetworkServices, parseNsmUrl } from './nsm-url.ts'
export type { WantedWire } from './requests.ts'
