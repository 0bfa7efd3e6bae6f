/** Sizes of packets and of what tunnels put around them, in bytes. */
import type { IpFamily } from './ip.ts'

/** RFC 791 section 3.2: what every IPv4 host can take in one piece. */
export const MIN_IPV4_MTU_BYTES = 576
/** What the kernel takes as MTU of a veth or TUN device. */
export const MAX_MTU_BYTES = 65_535

const UDP_HEADER_BYTES = 8
const ETHERNET_HEADER_BYTES = 14
const VXLAN_HEADER_BYTES = 8
const VLAN_TAG_BYTES = 4
/** Type, receiver index and counter (16), and the authentication tag (16). */
const WIREGUARD_BYTES = 32
/** In front of an Ethernet frame inside WireGuard. */
const FRAME_LENGTH_BYTES = 2

function ipHeaderBytes(underlay: IpFamily): number {
  return underlay === 4 ? 20 : 40
}

/** Outer IP, UDP and WireGuard around an inner IP packet: 60 over IPv4, 80 over IPv6. */
export function wireguardOverheadBytes(underlay: IpFamily): number {
  return ipHeaderBytes(underlay) + UDP_HEADER_BYTES + WIREGUARD_BYTES
}

/**
 * The same around an Ethernet frame with its length and a tag, as in VXLAN: what is left is for the IP packet in it.
 * 80 over IPv4, 100 over IPv6.
 */
export function wireguardFrameOverheadBytes(underlay: IpFamily): number {
  return wireguardOverheadBytes(underlay) + FRAME_LENGTH_BYTES + ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES
}

/**
 * Outer IP, UDP and VXLAN and the inner Ethernet header (RFC 7348) around an inner IP packet, and four more to be
 * compatible with peers that tag frames (802.1Q): 54 over IPv4, 74 over IPv6.
 */
export function vxlanOverheadBytes(underlay: IpFamily): number {
  return ipHeaderBytes(underlay) + UDP_HEADER_BYTES + VXLAN_HEADER_BYTES + ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES
}
