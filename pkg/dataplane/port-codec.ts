/** Ports between the door's types and attributes of the local protocol. */
import { formatIp, formatPrefix, ipFamily, normalizePrefix, parseIp, parsePrefix } from '../net/index.ts'
import {
  AF_INET,
  AF_INET6,
  type Attribute,
  Attributes,
  aeadKind,
  attribute,
  attributeType,
  type Message,
  payloadKind,
  portKind,
  sessionState,
  underlayKind,
} from '../netlink/index.ts'
import type { Aead, Endpoint, PortSpec, PortStatus, UnderlaySpec, VxlanPortSpec, WireguardPortSpec } from './door.ts'
import { malformedReply, required } from './malformed.ts'
import { namespaceAttributes, readNamespace } from './namespace-attributes.ts'

const { bytes, text, u8, u16, u32 } = attribute
const AEADS: Readonly<Record<Aead, number>> = {
  chacha20poly1305: aeadKind.chaCha20Poly1305,
  aes256gcm: aeadKind.aes256Gcm,
}
const SESSIONS = new Map([
  [sessionState.idle, 'idle'],
  [sessionState.handshaking, 'handshaking'],
  [sessionState.established, 'established'],
  [sessionState.receiveOnly, 'receive-only'],
] as const)

export function encodeUnderlay({ id, kind, listen, privateKey }: UnderlaySpec): readonly Attribute[] {
  const address = parseIp(listen.ip)
  return [
    text(attributeType.id, id),
    u8(attributeType.kind, kind === 'vxlan' ? underlayKind.underlayVxlan : underlayKind.underlayWireguard),
    u8(attributeType.family, familyOf(address)),
    bytes(attributeType.address, address),
    u16(attributeType.udpPort, listen.port),
    ...(privateKey === undefined ? [] : [bytes(attributeType.privateKey, privateKey)]),
  ]
}

export function encodePort(spec: PortSpec): readonly Attribute[] {
  const common = [text(attributeType.id, spec.id), u8(attributeType.kind, portKind[spec.kind])]
  switch (spec.kind) {
    case 'tun':
    case 'tap':
      return [...common, ...namespaceAttributes(spec.namespace), text(attributeType.ifname, spec.interfaceName)]
    case 'wireguard':
      return [...common, ...encodeWireguard(spec)]
    case 'vxlan':
      return [...common, ...encodeTunnel(spec), u32(attributeType.vni, spec.vni)]
  }
}

function encodeWireguard(spec: WireguardPortSpec): readonly Attribute[] {
  return [
    ...encodeTunnel(spec),
    bytes(attributeType.privateKey, spec.privateKey),
    bytes(attributeType.peerResponderKey, spec.peerResponderKey),
    bytes(attributeType.peerInitiatorKey, spec.peerInitiatorKey),
    u8(attributeType.aead, AEADS[spec.aead]),
    u8(attributeType.roaming, spec.roaming ? 1 : 0),
    ...spec.localPrefixes.map((prefix) => prefixAttribute(attributeType.localPrefix, prefix)),
    ...spec.remotePrefixes.map((prefix) => prefixAttribute(attributeType.remotePrefix, prefix)),
    u16(attributeType.keepaliveSeconds, spec.keepaliveSeconds),
    // Left out for IP packets: an engine from before there was a choice knows nothing else.
    ...(spec.payload === 'IP' ? [] : [u8(attributeType.payloadKind, payloadKind.ethernetPayload)]),
    u8(attributeType.pathMessages, spec.pathMessages ? 1 : 0),
  ]
}

function encodeTunnel({ underlay, peerEndpoint, mtuBytes }: WireguardPortSpec | VxlanPortSpec): readonly Attribute[] {
  return [
    text(attributeType.underlay, underlay),
    bytes(attributeType.peerAddress, parseIp(peerEndpoint.ip)),
    u16(attributeType.peerPort, peerEndpoint.port),
    u32(attributeType.mtuBytes, mtuBytes),
  ]
}

/** @throws {NsmError} `internal` for what the protocol does not allow */
export function decodePort({ body }: Message): PortStatus {
  const attributes = new Attributes(body)
  const id = required('port', attributeType.id, attributes.text(attributeType.id))
  switch (attributes.u8(attributeType.kind)) {
    case portKind.tun:
      return { id, kind: 'tun', ...decodeDevice(attributes) }
    case portKind.tap:
      return { id, kind: 'tap', ...decodeDevice(attributes) }
    case portKind.wireguard:
      return { id, kind: 'wireguard', ...decodeTunnel(attributes), ...decodeWireguard(attributes) }
    case portKind.vxlan:
      return { id, kind: 'vxlan', ...decodeTunnel(attributes), vni: u32Of(attributes, attributeType.vni) }
  }
  throw malformedReply('port', attributeType.kind)
}

function decodeDevice(attributes: Attributes) {
  return {
    namespace: required('port', attributeType.nsIno, readNamespace(attributes)),
    interfaceName: required('port', attributeType.ifname, attributes.text(attributeType.ifname)),
    // Absent when the workload has removed the device.
    ifindex: attributes.u32(attributeType.ifindex) ?? 0,
  }
}

function decodeTunnel(attributes: Attributes) {
  return {
    underlay: required('port', attributeType.underlay, attributes.text(attributeType.underlay)),
    peerEndpoint: decodeEndpoint(attributes),
    mtuBytes: u32Of(attributes, attributeType.mtuBytes),
  }
}

function decodeWireguard(attributes: Attributes) {
  // A copy: what was received is a view into the socket's buffer.
  const key = (type: number) => new Uint8Array(required('port', type, attributes.bytes(type)))
  const ageMs = attributes.u64(attributeType.handshakeAgeMs)
  return {
    publicKey: key(attributeType.publicKey),
    peerResponderKey: key(attributeType.peerResponderKey),
    peerInitiatorKey: key(attributeType.peerInitiatorKey),
    aead: attributes.u8(attributeType.aead) === aeadKind.aes256Gcm ? 'aes256gcm' : 'chacha20poly1305',
    roaming: attributes.u8(attributeType.roaming) === 1,
    payload: attributes.u8(attributeType.payloadKind) === payloadKind.ethernetPayload ? 'ETHERNET' : 'IP',
    localPrefixes: attributes.all(attributeType.localPrefix).map(decodePrefix),
    remotePrefixes: attributes.all(attributeType.remotePrefix).map(decodePrefix),
    keepaliveSeconds: attributes.u16(attributeType.keepaliveSeconds) ?? 0,
    pathMessages: attributes.u8(attributeType.pathMessages) === 1,
    session: decodeSession(attributes.u8(attributeType.sessionState)),
    handshakeAgeMs: ageMs === undefined ? undefined : Number(ageMs),
  } as const
}

/** Where the peer is; the unspecified address before it is known. */
export function decodeEndpoint(attributes: Attributes): Endpoint {
  const address = attributes.bytes(attributeType.peerAddress)
  return {
    ip: address === undefined ? '0.0.0.0' : formatIp(address),
    port: attributes.u16(attributeType.peerPort) ?? 0,
  }
}

function decodeSession(state: number | undefined) {
  for (const [number, name] of SESSIONS) if (number === state) return name
  throw malformedReply('port', attributeType.sessionState)
}

/** Family, length, address. */
function prefixAttribute(type: number, prefix: string): Attribute {
  const { address, length } = parsePrefix(normalizePrefix(prefix))
  return bytes(type, Uint8Array.of(familyOf(address), length, ...address))
}

function decodePrefix(value: Uint8Array): string {
  const address = value.subarray(2)
  return formatPrefix({ family: ipFamily(address), length: value[1] ?? 0, address })
}

function familyOf(address: Uint8Array): number {
  return ipFamily(address) === 4 ? AF_INET : AF_INET6
}

function u32Of(attributes: Attributes, type: number): number {
  return required('port', type, attributes.u32(type))
}
