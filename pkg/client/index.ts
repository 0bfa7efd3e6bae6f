/** The workload's side of the mesh: requests wires and maintains them. */

export { type NsmUrl, parseNsmUrl } from '../mechanism/index.ts'
export { KeptWire, type KeptWireOptions, type KeptWireState } from './kept-wire.ts'
export { KeptWires, type KeptWiresOptions } from './kept-wires.ts'
export { parseNetworkServices } from './network-services.ts'
export type { WantedWire } from './requests.ts'
