/**
 * The VXLAN mechanism (RFC 7348): Ethernet frames to another node, not encrypted, and only if the operator has configured
 * a port for it. The client's node fills in `src`, the endpoint's node `dst` and the VNI.
 */
import { type Mechanism, PAYLOAD_ETHERNET, PAYLOAD_IP } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import {
  ETHERNET_HEADER_BYTES,
  type IpFamily,
  isSameAddress,
  parseIp,
  type SocketAddress,
  udpOverheadBytes,
  VLAN_TAG_BYTES,
} from '../net/index.ts'
import { attributeType, portKind, underlayKind } from '../netlink/index.ts'
import {
  type AgreedEnd,
  type AnyEnd,
  EMPTY_VIEW,
  type MechanismKind,
  REMOTE,
  type Role,
  type Tunnel,
} from './mechanism-kind.ts'
import { lowestMtuBytes, tunnelMtuBytes } from './mtu.ts'
import {
  checkPeer,
  commonParameter,
  own,
  type Parameters,
  readIp,
  readMtu,
  readNumber,
  readPort,
  writeParameters,
} from './parameters.ts'
import { type Fields, peerField, readFields, textField, u32Field, writeFields } from './port-fields.ts'
import type { AnyPort, PortKind } from './port-kind.ts'

const VXLAN = 'VXLAN'
/** The kind of its ports, and the id of their underlay. */
const KIND = 'vxlan'
const DEFAULT_PORT = 4789
const HEADER_BYTES = 8

/** The largest number of 24 bits; 0 means that none is chosen yet. */
export const MAX_VNI = 2 ** 24 - 1

export interface VxlanEnd extends AnyEnd {
  readonly kind: typeof KIND
  readonly vni: number
  readonly peer: SocketAddress
}

export interface VxlanPortSpec extends Omit<VxlanEnd, 'role'> {
  readonly id: string
  readonly underlay: string
  readonly mtuBytes: number
}

const portFields: Fields<Omit<VxlanPortSpec, keyof AnyPort>> = {
  underlay: textField(attributeType.underlay),
  peer: peerField,
  mtuBytes: u32Field(attributeType.mtuBytes),
  vni: u32Field(attributeType.vni),
}

const vxlanPort: PortKind<VxlanPortSpec, VxlanPortSpec> = {
  kinds: [[KIND, portKind.vxlan]],
  isDevice: false,
  underlayNumber: underlayKind.underlayVxlan,
  carries: () => PAYLOAD_ETHERNET,
  packetKey: ({ vni }) => String(vni),
  check({ id, vni }) {
    if (Number.isInteger(vni) && vni > 0 && vni <= MAX_VNI) return
    throw new NsmError('invalid_argument', 'Cannot set the port: its VNI is not 1 to 2^24 - 1', { fields: { id } })
  },
  encode: (spec) => writeFields(portFields, spec),
  decode: (named, attributes) => ({ ...named, ...readFields(portFields, attributes) }),
  fresh: (spec) => spec,
  steady: (status) => ({ ...status }),
}

export const vxlan: MechanismKind<VxlanEnd, VxlanPortSpec, VxlanPortSpec> = {
  kind: KIND,
  cls: REMOTE,
  type: VXLAN,
  payloads: [PAYLOAD_IP, PAYLOAD_ETHERNET],
  toAllow: `set NSM_VXLAN_PORT=${DEFAULT_PORT} on both nodes (plaintext)`,
  port: vxlanPort,
  hasSession: false,

  /** Completes the offer with our address and, on the first request, with a VNI. */
  accept(offered, { host: { tunnel }, isTaken }) {
    const parameters = readVxlan(offered.parameters)
    const dst = ourselves(tunnel)
    const peer = checkPeer(demand(parameters.src, commonParameter.srcIp), tunnel)
    const ips = { srcIp: parameters.originalSrcIp ?? peer.ip, dstIp: parameters.originalDstIp ?? dst.ip }
    const vni = parameters.vni ?? drawVni({ ...ips, isTaken })
    return agree({ role: 'client', tunnel, peer, parameters: { ...parameters, dst, vni } })
  },

  offer({ host: { tunnel } }) {
    const none = { dst: undefined, originalSrcIp: undefined, originalDstIp: undefined, vni: undefined }
    return {
      mechanism: write({ ...none, src: ourselves(tunnel), mtuBytes: ownMtu(tunnel) }),
      join(answered) {
        const parameters = readVxlan(answered.parameters)
        const peer = checkPeer(demand(parameters.dst, commonParameter.dstIp), tunnel)
        return agree({ role: 'server', tunnel, peer, parameters })
      },
    }
  },

  isAgreedHere({ parameters }, role, tunnel) {
    const { src, dst } = readVxlan(parameters)
    const agreed = role === 'client' ? dst : src
    return agreed === undefined || isSameAddress(agreed, ourselves(tunnel))
  },

  claim: ({ parameters }) => readVxlan(parameters).vni,
  plan: ({ role: _, ...end }, { id, mtuBytes }) => ({ ...end, id, mtuBytes, underlay: KIND }),
  underlay: (tunnel) => ({ id: KIND, kind: KIND, listen: { ...ourselves(tunnel), ip: tunnel.listenIp } }),

  view: ({ peer }) => ({ ...EMPTY_VIEW, mechanism: VXLAN, peer }),
}

interface Agreement {
  readonly role: Role
  readonly tunnel: Tunnel
  readonly peer: SocketAddress
  readonly parameters: VxlanParameters
}

function agree({ role, tunnel, peer, parameters }: Agreement): AgreedEnd<VxlanEnd> {
  const { vni } = parameters
  if (vni === undefined) throw new NsmError('invalid_argument', 'Cannot use the VXLAN mechanism: it has no VNI')
  const mtuBytes = lowestMtuBytes(parameters.mtuBytes, ownMtu(tunnel))
  return {
    end: { kind: KIND, role, vni, peer },
    mechanism: write({ ...parameters, mtuBytes }),
    payload: undefined,
    maxMtuBytes: mtuBytes,
    wireKey: undefined,
  }
}

function ourselves({ ip, ports }: Tunnel): SocketAddress {
  return { ip, port: ports[KIND] ?? DEFAULT_PORT }
}

function demand(address: SocketAddress | undefined, parameter: string): SocketAddress {
  if (address !== undefined) return address
  throw new NsmError('invalid_argument', 'Cannot use the VXLAN mechanism: an address is missing', {
    fields: { parameter },
  })
}

function ownMtu({ ip, mtuBytes }: Tunnel): number {
  return tunnelMtuBytes({ linkMtuBytes: mtuBytes, ip, overheadBytes: vxlanOverheadBytes })
}

/**
 * Outer IP, UDP and VXLAN headers and the inner Ethernet header (RFC 7348) around an inner IP packet, with four bytes
 * more for peers that tag frames (802.1Q): 54 over IPv4, 74 over IPv6.
 */
export function vxlanOverheadBytes(family: IpFamily): number {
  return udpOverheadBytes(family) + HEADER_BYTES + ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES
}

export interface VxlanParameters {
  readonly src: SocketAddress | undefined
  readonly dst: SocketAddress | undefined
  /** The addresses before a proxy between domains replaced them. They decide the parity of the VNI. */
  readonly originalSrcIp: string | undefined
  readonly originalDstIp: string | undefined
  readonly vni: number | undefined
  readonly mtuBytes: number | undefined
}

const parameter = {
  ...commonParameter,
  vni: 'vni',
  originalSrcIp: 'orig_src_ip',
  originalDstIp: 'orig_dst_ip',
} as const

/** @throws {NsmError} `invalid_argument` naming the parameter. A peer without an address is absent. */
export function readVxlan(parameters: Parameters): VxlanParameters {
  const vni = readNumber(parameters, parameter.vni, { min: 0, max: MAX_VNI })
  return {
    src: readPeer(parameters, parameter.srcIp, parameter.srcPort),
    dst: readPeer(parameters, parameter.dstIp, parameter.dstPort),
    originalSrcIp: readOptionalIp(parameters, parameter.originalSrcIp),
    originalDstIp: readOptionalIp(parameters, parameter.originalDstIp),
    vni: vni === 0 ? undefined : vni,
    mtuBytes: readMtu(parameters),
  }
}

export function writeVxlan({ src, dst, originalSrcIp, originalDstIp, vni, mtuBytes }: VxlanParameters) {
  return writeParameters({
    [parameter.srcIp]: src?.ip,
    [parameter.srcPort]: src?.port,
    [parameter.dstIp]: dst?.ip,
    [parameter.dstPort]: dst?.port,
    [parameter.originalSrcIp]: originalSrcIp,
    [parameter.originalDstIp]: originalDstIp,
    [parameter.vni]: vni,
    [parameter.mtu]: mtuBytes,
  })
}

function write(parameters: VxlanParameters): Mechanism {
  return { cls: REMOTE, type: VXLAN, parameters: writeVxlan(parameters) }
}

function readPeer(parameters: Parameters, ip: string, port: string): SocketAddress | undefined {
  if (own(parameters, ip) === undefined) return undefined
  return { ip: readIp(parameters, ip), port: readPort(parameters, port, DEFAULT_PORT) }
}

function readOptionalIp(parameters: Parameters, name: string): string | undefined {
  return own(parameters, name) === undefined ? undefined : readIp(parameters, name)
}

export interface VniDraw {
  readonly srcIp: string
  readonly dstIp: string
  /** Whether a VNI is in use with this source already. */
  readonly isTaken: (vni: number) => boolean
  /** 0 <= random() < 1 */
  readonly random?: () => number
}

/** With half of all numbers taken, a free one is missed once in 2^128. */
const MAX_DRAWS = 128

/**
 * Draws a VNI that is free. Its parity tells the two directions between a pair of nodes apart, so that two forwarders
 * that choose at the same time never collide: even where the source address is not greater than the destination's.
 *
 * @throws {NsmError} `resource_exhausted` when no free number comes up
 */
export function drawVni({ srcIp, dstIp, isTaken, random = Math.random }: VniDraw): number {
  const parity = Buffer.compare(parseIp(srcIp), parseIp(dstIp)) <= 0 ? 0 : 1
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const vni = 2 * Math.floor(random() * 2 ** 23) + parity
    if (vni !== 0 && !isTaken(vni)) return vni
  }
  throw new NsmError('resource_exhausted', 'Cannot choose a VNI: nearly all are in use', { fields: { srcIp, dstIp } })
}
