/** Addresses, prefixes, ports, interface names and MTUs: pure values with strict parsers. */
export { checkInterfaceName, isInterfaceName, MAX_INTERFACE_NAME_BYTES } from './interface-name.ts'
export {
  bigintToIp,
  formatIp,
  type IpFamily,
  ipFamily,
  ipToBigint,
  isIp,
  normalizeIp,
  parseIp,
} from './ip.ts'
export { formatMac, normalizeMac, parseMac } from './mac.ts'
export {
  ETHERNET_HEADER_BYTES,
  MAX_MTU_BYTES,
  MIN_IPV4_MTU_BYTES,
  udpOverheadBytes,
  VLAN_TAG_BYTES,
} from './mtu.ts'
export { formatNamespaceId, type NamespaceId, parseNamespaceId } from './namespace-id.ts'
export {
  contains,
  formatPrefix,
  hostPrefix,
  network,
  normalizePrefix,
  overlaps,
  type Prefix,
  parsePrefix,
} from './prefix.ts'
export { isReachableUrl } from './reachable-url.ts'
export { isRoutable, isUnspecified, type Reach, reachFrom, reachOf } from './routable.ts'
export {
  formatSocketAddress,
  isSameAddress,
  MAX_PORT,
  parseSocketAddress,
  type SocketAddress,
} from './socket-address.ts'
export { isSpecial } from './special-ranges.ts'
export {
  checkOnWire,
  isDefaultRoute,
  isWide,
  type KeptAddress,
  noExceptions,
  type PrefixExceptions,
  type WirePrefixRules,
  whyNeverOnWire,
  whyNotOnWire,
} from './wire-prefix.ts'
