/** Limits of MTUs, and the overhead of tunnels, in bytes. */
import type { IpFamily } from './ip.ts'

/** The largest datagram that every IPv4 host must be able to receive (RFC 791 section 3.2). */
export const MIN_IPV4_MTU_BYTES = 576
/** The largest MTU that the kernel accepts for a veth or TUN device. */
export const MAX_MTU_BYTES = 65_535

export const ETHERNET_HEADER_BYTES = 14
/** IEEE 802.1Q. */
export const VLAN_TAG_BYTES = 4
const UDP_HEADER_BYTES = 8

/** IP and UDP: 28 bytes over IPv4, 48 over IPv6. */
export function udpOverheadBytes(family: IpFamily): number {
  return (family === 4 ? 20 : 40) + UDP_HEADER_BYTES
}
