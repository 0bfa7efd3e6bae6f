import type { UnderlaySpec } from '../dataplane/index.ts'
import { keyBytes, type WireKey } from '../tunnel/index.ts'

/** Ids of the node's two UDP sockets at the dataplane. The daemon sets them before it opens the forwarder. */
export const WIREGUARD_UNDERLAY = 'wireguard'
export const VXLAN_UNDERLAY = 'vxlan'

export interface TunnelSockets {
  readonly ip: string
  readonly port: number
  /** Undefined: no plaintext wires. */
  readonly vxlanPort: number | undefined
  readonly nodeKey: WireKey
}

export function underlaysOf({ ip, port, vxlanPort, nodeKey }: TunnelSockets): readonly UnderlaySpec[] {
  const privateKey = keyBytes(nodeKey.privateKey)
  const wireguard = { id: WIREGUARD_UNDERLAY, kind: 'wireguard', listen: { ip, port }, privateKey } as const
  if (vxlanPort === undefined) return [wireguard]
  return [wireguard, { id: VXLAN_UNDERLAY, kind: 'vxlan', listen: { ip, port: vxlanPort } }]
}
