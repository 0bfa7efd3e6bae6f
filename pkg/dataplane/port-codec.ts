/** Converts ports and underlays of all kinds to attributes of the local protocol, and back. */
import {
  keyBytes,
  type PortSpec,
  type PortStatus,
  portKindOf,
  portKinds,
  type UnderlaySpec,
} from '../mechanism/index.ts'
import { parseIp } from '../net/index.ts'
import {
  type Attribute,
  Attributes,
  addressFamily,
  attribute,
  attributeType,
  type Message,
  malformedReply,
  required,
} from '../netlink/index.ts'

const { bytes, text, u8, u16 } = attribute

export function encodeUnderlay({ id, kind, listen, privateKey }: UnderlaySpec): readonly Attribute[] {
  const address = parseIp(listen.ip)
  return [
    text(attributeType.id, id),
    u8(attributeType.kind, portKindOf({ kind }).underlayNumber ?? 0),
    u8(attributeType.family, addressFamily(address)),
    bytes(attributeType.address, address),
    u16(attributeType.udpPort, listen.port),
    ...(privateKey === undefined ? [] : [bytes(attributeType.privateKey, keyBytes(privateKey))]),
  ]
}

export function encodePort(spec: PortSpec): readonly Attribute[] {
  const port = portKindOf(spec)
  const number = port.kinds.find(([kind]) => kind === spec.kind)?.[1] ?? 0
  return [text(attributeType.id, spec.id), u8(attributeType.kind, number), ...port.encode(spec)]
}

/** @throws {NsmError} `internal` for a reply that breaks the protocol */
export function decodePort({ body }: Message): PortStatus {
  const attributes = new Attributes(body)
  const id = required('port', attributeType.id, attributes.text(attributeType.id))
  const number = attributes.u8(attributeType.kind)
  for (const port of portKinds) {
    const kind = port.kinds.find((each) => each[1] === number)?.[0]
    if (kind !== undefined) return port.decode({ id, kind }, attributes)
  }
  throw malformedReply('port', attributeType.kind)
}
