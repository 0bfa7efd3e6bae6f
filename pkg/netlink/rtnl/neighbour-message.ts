/** Messages about neighbours (ARP and NDP entries): struct ndmsg and NDA_* attributes. */
import { attribute } from '../attribute.ts'
import { attributesAfter } from '../attributes.ts'
import { HOST_IS_LITTLE_ENDIAN, readStruct, viewOf } from '../bytes.ts'
import { type Message, messageFlag } from '../message.ts'
import { addressFamily, change, dump, type RtnlRequest, rtnlType } from './request.ts'

const NDMSG_BYTES = 12
const NDA_DST = 1
const NDA_LLADDR = 2
const NUD_PERMANENT = 0x80

export interface NeighbourMessage {
  readonly linkIndex: number
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array
  readonly mac: Uint8Array
}

/** Sets a permanent entry and replaces an existing one. */
export function setNeighbour({ linkIndex, ip, mac }: NeighbourMessage): RtnlRequest {
  const { request, acknowledge, create, replace } = messageFlag
  return {
    type: rtnlType.newNeighbour,
    flags: request | acknowledge | create | replace,
    fixed: ndmsg(addressFamily(ip), linkIndex, NUD_PERMANENT),
    attributes: [attribute.bytes(NDA_DST, ip), attribute.bytes(NDA_LLADDR, mac)],
  }
}

export function deleteNeighbour({ linkIndex, ip }: Omit<NeighbourMessage, 'mac'>): RtnlRequest {
  const fixed = ndmsg(addressFamily(ip), linkIndex, 0)
  return change({ type: rtnlType.deleteNeighbour, fixed, attributes: [attribute.bytes(NDA_DST, ip)] })
}

export function dumpNeighbours(): RtnlRequest {
  return dump(rtnlType.getNeighbour, ndmsg(0, 0, 0))
}

/**
 * Returns undefined for an entry that is not permanent.
 * @throws {NsmError} `invalid_argument` for a malformed message
 */
export function readNeighbour({ body }: Message): NeighbourMessage | undefined {
  const view = readStruct(body, NDMSG_BYTES, 'the neighbour')
  if ((view.getUint16(8, HOST_IS_LITTLE_ENDIAN) & NUD_PERMANENT) === 0) return undefined
  const attributes = attributesAfter(body, NDMSG_BYTES, 'the neighbour')
  return {
    linkIndex: view.getInt32(4, HOST_IS_LITTLE_ENDIAN),
    ip: attributes.bytes(NDA_DST) ?? new Uint8Array(),
    mac: attributes.bytes(NDA_LLADDR) ?? new Uint8Array(),
  }
}

function ndmsg(family: number, linkIndex: number, state: number): Uint8Array {
  const bytes = new Uint8Array(NDMSG_BYTES)
  const view = viewOf(bytes)
  view.setUint8(0, family)
  view.setInt32(4, linkIndex, HOST_IS_LITTLE_ENDIAN)
  view.setUint16(8, state, HOST_IS_LITTLE_ENDIAN)
  return bytes
}
