/** Limits of MTUs, and the overhead of tunnels, in bytes. */
import type { IpFamily } from './ip.ts'

/** The largest datagram that every IPv4 host must be able to receive (RFC 791 section 3.2). */
export const MIN_IPV4_MTU_BYTES = 576
/** The largest MTU that the kernel accepts for a veth or TUN device. */
export const MAX_MTU_BYTES = 65_535

const UDP_HEADER_BYTES = 8
const ETHERNET_HEADER_BYTES = 14
const VXLAN_HEADER_BYTES = 8
const VLAN_TAG_BYTES = 4
/** Type, receiver index and counter (16 bytes), and the authentication tag (16 bytes). */
const WIREGUARD_BYTES = 32
/** The length field before an Ethernet frame inside WireGuard. */
const FRAME_LENGTH_BYTES = 2

function ipHeaderBytes(underlay: IpFamily): number {
  return underlay === 4 ? 20 : 40
}

/** Outer IP, UDP and WireGuard headers around an inner IP packet: 60 over IPv4, 80 over IPv6. */
export function wireguardOverheadBytes(underlay: IpFamily): number {
  return ipHeaderBytes(underlay) + UDP_HEADER_BYTES + WIREGUARD_BYTES
}

/**
 * The overhead of WireGuard around an IP packet in an Ethernet frame, including the length field, the Ethernet header
 * and a VLAN tag: 80 over IPv4, 100 over IPv6.
 */
export function wireguardFrameOverheadBytes(underlay: IpFamily): number {
  return wireguardOverheadBytes(underlay) + FRAME_LENGTH_BYTES + ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES
}

/**
 * Outer IP, UDP and VXLAN headers and the inner Ethernet header (RFC 7348) around an inner IP packet, with four bytes
 * more for peers that tag frames (802.1Q): 54 over IPv4, 74 over IPv6.
 */
export function vxlanOverheadBytes(underlay: IpFamily): number {
  return ipHeaderBytes(underlay) + UDP_HEADER_BYTES + VXLAN_HEADER_BYTES + ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES
}
