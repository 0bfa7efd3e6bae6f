/** A side that leads to another node in plaintext, by VXLAN: only where the operator has given it a port. */
import { type Mechanism, REMOTE, VXLAN } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { ConnectionTable } from '../connections/index.ts'
import {
  DEFAULT_VXLAN_PORT,
  drawVni,
  lowestMtuBytes,
  readVxlan,
  tunnelMtuBytes,
  type VxlanMechanism,
  type VxlanSide,
  writeVxlan,
} from '../tunnel/index.ts'
import type { Tunnel } from './parts.ts'
import type { Side } from './side.ts'

/** VNIs in use on this node, kept in step with the table so that no request has to count connections. */
export class Vnis {
  readonly #byConnection = new Map<string, number>()
  readonly #taken = new Set<number>()

  constructor(table: ConnectionTable) {
    for (const { id, connection } of table.all()) this.#set(id, connection.mechanism)
    table.subscribe(({ type, record }) =>
      this.#set(record.id, type === 'DELETE' ? undefined : record.connection.mechanism),
    )
  }

  isTaken(vni: number): boolean {
    return this.#taken.has(vni)
  }

  #set(id: string, mechanism: Mechanism | undefined): void {
    this.#taken.delete(this.#byConnection.get(id) ?? 0)
    const vni = mechanism?.type === VXLAN ? readVxlan(mechanism.parameters).vni : undefined
    if (vni === undefined) return void this.#byConnection.delete(id)
    this.#byConnection.set(id, vni)
    this.#taken.add(vni)
  }
}

/** What the other node offered, with our half and, on the first request, a VNI filled in. */
export function acceptVxlan(tunnel: Tunnel, offered: Mechanism, vnis: Pick<Vnis, 'isTaken'>): Side {
  const mechanism = readVxlan(offered.parameters)
  const dst = half(tunnel)
  const peer = demand(mechanism.src, 'src_ip')
  const ips = { srcIp: mechanism.originalSrcIp ?? peer.ip, dstIp: mechanism.originalDstIp ?? dst.ip }
  const vni = mechanism.vni ?? drawVni({ ...ips, isTaken: (each) => vnis.isTaken(each) })
  return sideOf(tunnel, peer, { ...mechanism, dst, vni })
}

export function offerVxlan(tunnel: Tunnel, peerIp: string): Mechanism {
  const none = { dst: undefined, originalSrcIp: undefined, originalDstIp: undefined, vni: undefined }
  return write({ ...none, src: half(tunnel), mtuBytes: ownMtu(tunnel, peerIp) })
}

export function joinVxlan(tunnel: Tunnel, answered: Mechanism): Side {
  const mechanism = readVxlan(answered.parameters)
  return sideOf(tunnel, demand(mechanism.dst, 'dst_ip'), mechanism)
}

function sideOf(tunnel: Tunnel, peer: VxlanSide, mechanism: VxlanMechanism): Side {
  const { vni } = mechanism
  if (vni === undefined) throw new NsmError('invalid_argument', 'Cannot use the VXLAN mechanism: it has no VNI')
  const mtuBytes = lowestMtuBytes(mechanism.mtuBytes, ownMtu(tunnel, peer.ip))
  return {
    mechanism: write({ ...mechanism, mtuBytes }),
    payload: undefined,
    mostMtuBytes: mtuBytes,
    wireKey: undefined,
    plan: () => ({ kind: 'vxlan', vni, peer }),
  }
}

function half({ ip, vxlanPort }: Tunnel): VxlanSide {
  return { ip, port: vxlanPort ?? DEFAULT_VXLAN_PORT }
}

function ownMtu({ mtuBytes }: Tunnel, peerIp: string): number {
  return tunnelMtuBytes({ type: VXLAN, linkMtuBytes: mtuBytes, peerIp })
}

function write(mechanism: VxlanMechanism): Mechanism {
  return { cls: REMOTE, type: VXLAN, parameters: writeVxlan(mechanism) }
}

function demand(side: VxlanSide | undefined, parameter: string): VxlanSide {
  if (side !== undefined) return side
  throw new NsmError('invalid_argument', 'Cannot use the VXLAN mechanism: an address is missing', {
    fields: { parameter },
  })
}
