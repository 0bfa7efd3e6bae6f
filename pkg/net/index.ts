/** Addresses, prefixes, names and sizes of the network: pure values, checked where they enter. */
export { checkInterfaceName, isInterfaceName, MAX_INTERFACE_NAME_BYTES } from './interface-name.ts'
export {
  bigintToIp,
  canonicalIp,
  formatIp,
  type IpFamily,
  ipFamily,
  ipToBigint,
  isIp,
  parseIp,
} from './ip.ts'
export { canonicalMac, formatMac, parseMac } from './mac.ts'
export {
  MAX_MTU_BYTES,
  MIN_IPV4_MTU_BYTES,
  vxlanOverheadBytes,
  wireguardFrameOverheadBytes,
  wireguardOverheadBytes,
} from './mtu.ts'
export { formatNamespaceId, type NamespaceId, parseNamespaceId } from './namespace-id.ts'
export {
  canonicalPrefix,
  contains,
  formatPrefix,
  hostPrefix,
  network,
  overlaps,
  type Prefix,
  parsePrefix,
} from './prefix.ts'
export { formatSocketAddress, parseSocketAddress, type SocketAddress } from './socket-address.ts'
