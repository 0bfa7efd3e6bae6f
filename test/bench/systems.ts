/** Everything that is measured, in the order of the table. */
import type { System } from './system.ts'
import { nebula } from './systems/nebula.ts'
import { nsmeshChacha, nsmeshPlain, nsmeshVxlan } from './systems/nsmesh.ts'
import { nsmeshRequested } from './systems/nsmesh-requested.ts'
import { kernelVxlan, veth } from './systems/plain.ts'
import { wireguardGo } from './systems/wireguard-go.ts'

export const SYSTEMS: readonly System[] = [
  veth,
  kernelVxlan,
  nsmeshVxlan,
  nsmeshPlain,
  nsmeshRequested,
  nsmeshChacha,
  nebula,
  wireguardGo,
]
