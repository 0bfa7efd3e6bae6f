/** Parameters of the VXLAN mechanism: the client's forwarder fills in `src`, the server's `dst` and the VNI. */
import { parameter } from '../api/index.ts'
import { own, type Parameters, readIp, readMtu, readNumber, readPort, writeParameters } from './parameters.ts'
import { MAX_VNI } from './vni.ts'

export interface VxlanSide {
  readonly ip: string
  readonly port: number
}

export interface VxlanMechanism {
  readonly src: VxlanSide | undefined
  readonly dst: VxlanSide | undefined
  /** Addresses before a proxy between domains swapped them: the parity of the VNI is judged by these. */
  readonly originalSrcIp: string | undefined
  readonly originalDstIp: string | undefined
  readonly vni: number | undefined
  readonly mtuBytes: number | undefined
}

/** RFC 7348 section 5. */
export const DEFAULT_VXLAN_PORT = 4789

const ORIGINAL_SRC_IP = 'orig_src_ip'
const ORIGINAL_DST_IP = 'orig_dst_ip'

/** @throws {NsmError} `invalid_argument` naming the parameter. A side without an address is not there yet. */
export function readVxlan(parameters: Parameters): VxlanMechanism {
  const vni = readNumber(parameters, parameter.vni, { least: 0, most: MAX_VNI })
  return {
    src: readSide(parameters, parameter.srcIp, parameter.srcPort),
    dst: readSide(parameters, parameter.dstIp, parameter.dstPort),
    originalSrcIp: readOptionalIp(parameters, ORIGINAL_SRC_IP),
    originalDstIp: readOptionalIp(parameters, ORIGINAL_DST_IP),
    vni: vni === 0 ? undefined : vni,
    mtuBytes: readMtu(parameters, parameter.mtu),
  }
}

export function writeVxlan(mechanism: VxlanMechanism): Record<string, string> {
  return writeParameters({
    [parameter.srcIp]: mechanism.src?.ip,
    [parameter.srcPort]: mechanism.src?.port,
    [parameter.dstIp]: mechanism.dst?.ip,
    [parameter.dstPort]: mechanism.dst?.port,
    [ORIGINAL_SRC_IP]: mechanism.originalSrcIp,
    [ORIGINAL_DST_IP]: mechanism.originalDstIp,
    [parameter.vni]: mechanism.vni,
    [parameter.mtu]: mechanism.mtuBytes,
  })
}

function readSide(parameters: Parameters, ip: string, port: string): VxlanSide | undefined {
  if (own(parameters, ip) === undefined) return undefined
  return { ip: readIp(parameters, ip), port: readPort(parameters, port, DEFAULT_VXLAN_PORT) }
}

function readOptionalIp(parameters: Parameters, name: string): string | undefined {
  return own(parameters, name) === undefined ? undefined : readIp(parameters, name)
}
