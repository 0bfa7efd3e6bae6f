/** Values that objects of the local protocol have in common: a namespace, a peer's socket address, a prefix. */
import {
  formatIp,
  formatNamespaceId,
  formatPrefix,
  ipFamily,
  normalizePrefix,
  parseIp,
  parseNamespaceId,
  parsePrefix,
  type SocketAddress,
} from '../net/index.ts'
import { type Attribute, attribute } from './attribute.ts'
import type { Attributes } from './attributes.ts'
import { malformedReply } from './malformed-reply.ts'
import { attributeType } from './protocol.ts'
import { AF_INET, AF_INET6 } from './rtnl/request.ts'

/** A namespace as two numbers; none for the holder's own. */
export function namespaceAttributes(namespace: string | undefined): readonly Attribute[] {
  if (namespace === undefined) return []
  const { dev, ino } = parseNamespaceId(namespace)
  return [attribute.u64(attributeType.nsDev, dev), attribute.u64(attributeType.nsIno, ino)]
}

/** Undefined for the holder's own. */
export function readNamespace(attributes: Attributes): string | undefined {
  const [dev, ino] = [attributes.u64(attributeType.nsDev), attributes.u64(attributeType.nsIno)]
  if (dev === undefined && ino === undefined) return undefined
  if (dev === undefined || ino === undefined) throw malformedReply('half a namespace', attributeType.nsIno)
  return formatNamespaceId({ dev, ino })
}

export function peerAttributes({ ip, port }: SocketAddress): readonly Attribute[] {
  return [attribute.bytes(attributeType.peerAddress, parseIp(ip)), attribute.u16(attributeType.peerPort, port)]
}

/** Where the peer is; the unspecified address before it is known. */
export function readPeer(attributes: Attributes): SocketAddress {
  const address = attributes.bytes(attributeType.peerAddress)
  return {
    ip: address === undefined ? '0.0.0.0' : formatIp(address),
    port: attributes.u16(attributeType.peerPort) ?? 0,
  }
}

/** Family, length, address. */
export function prefixAttribute(type: number, prefix: string): Attribute {
  const { address, length } = parsePrefix(normalizePrefix(prefix))
  return attribute.bytes(type, Uint8Array.of(addressFamily(address), length, ...address))
}

export function readPrefix(value: Uint8Array): string {
  const address = value.subarray(2)
  return formatPrefix({ family: ipFamily(address), length: value[1] ?? 0, address })
}

/** The kernel's number of the family. */
export function addressFamily(address: Uint8Array): number {
  return ipFamily(address) === 4 ? AF_INET : AF_INET6
}
