/**
 * Messages (struct nlmsghdr, then a structure of the protocol, then attributes), padded to 4 bytes:
 *
 *     byte 0      4     6      8         12
 *          length type  flags  sequence  port id   body ...
 */
import { type Attribute, type Encoded, encodeStruct } from './attribute.ts'
import { align, concatBytes, HOST_IS_LITTLE_ENDIAN, malformed, readStruct, viewOf } from './bytes.ts'

export const MESSAGE_HEADER_BYTES = 16

export const messageFlag = {
  request: 0x1,
  acknowledge: 0x4,
  /** On parts of a dump: what was dumped changed meanwhile. */
  dumpInterrupted: 0x10,
  // With a get:
  dump: 0x300,
  // With a new:
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  // With an error:
  capped: 0x100,
  acknowledgeAttributes: 0x200,
} as const

export const controlType = { noop: 1, error: 2, done: 3, overrun: 4 } as const

/** One received message. */
export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** What follows the header, without the padding of the message. */
  readonly body: Uint8Array
}

/** One message to be sent. */
export interface OutgoingMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** The structure before the attributes, a multiple of 4 bytes. */
  readonly fixed?: Uint8Array
  readonly attributes: readonly Attribute[]
}

export function encodeMessage({ type, flags, sequence, fixed, attributes }: OutgoingMessage): Encoded {
  const header = new Uint8Array(MESSAGE_HEADER_BYTES + (fixed?.length ?? 0))
  header.set(fixed ?? [], MESSAGE_HEADER_BYTES)
  const message = encodeStruct({ fixed: header, attributes })
  const view = viewOf(message.bytes)
  view.setUint32(0, message.bytes.length, HOST_IS_LITTLE_ENDIAN)
  view.setUint16(4, type, HOST_IS_LITTLE_ENDIAN)
  view.setUint16(6, flags, HOST_IS_LITTLE_ENDIAN)
  view.setUint32(8, sequence, HOST_IS_LITTLE_ENDIAN)
  return message
}

/** Several messages one after the other, as one payload. */
export function encodeMessages(messages: readonly OutgoingMessage[]): Encoded {
  let at = 0
  const encoded = messages.map(encodeMessage).map(({ bytes, fdPatches }) => {
    const moved = fdPatches.map((patch) => ({ ...patch, offset: at + patch.offset }))
    at += bytes.length
    return { bytes, fdPatches: moved }
  })
  return {
    bytes: concatBytes(encoded.map(({ bytes }) => bytes)),
    fdPatches: encoded.flatMap(({ fdPatches }) => fdPatches),
  }
}

/** All messages of a datagram. @throws {NsmError} `invalid_argument` when one reaches over the end */
export function decodeMessages(bytes: Uint8Array): readonly Message[] {
  const messages: Message[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = readLength(bytes.subarray(at))
    if (length > bytes.length - at) throw malformed('a message reaches over the end', { at, length })
    messages.push(messageAt(bytes.subarray(at, at + length)))
    at += align(length)
  }
  return messages
}

/** What a stream holds so far: the whole messages, and the bytes of the one that is still incomplete. */
export interface Taken {
  readonly messages: readonly Message[]
  readonly rest: Uint8Array
}

/**
 * Takes whole messages off the front of a stream, at most `limit` of them.
 * @throws {NsmError} `invalid_argument` when a length is impossible: the stream cannot be read any further
 */
export function takeMessages(
  bytes: Uint8Array,
  options: { readonly maxBytes: number; readonly limit?: number },
): Taken {
  const { maxBytes, limit = Number.POSITIVE_INFINITY } = options
  const messages: Message[] = []
  let at = 0
  while (messages.length < limit && bytes.length - at >= MESSAGE_HEADER_BYTES) {
    const length = readLength(bytes.subarray(at))
    if (length > maxBytes) throw malformed('a message is longer than this protocol allows', { length, maxBytes })
    if (align(length) > bytes.length - at) break
    messages.push(messageAt(bytes.subarray(at, at + length)))
    at += align(length)
  }
  return { messages, rest: bytes.subarray(at) }
}

function readLength(bytes: Uint8Array): number {
  const length = readStruct(bytes, MESSAGE_HEADER_BYTES, 'the header').getUint32(0, HOST_IS_LITTLE_ENDIAN)
  if (length < MESSAGE_HEADER_BYTES) throw malformed('a message is shorter than its header', { length })
  return length
}

function messageAt(bytes: Uint8Array): Message {
  const view = viewOf(bytes)
  return {
    type: view.getUint16(4, HOST_IS_LITTLE_ENDIAN),
    flags: view.getUint16(6, HOST_IS_LITTLE_ENDIAN),
    sequence: view.getUint32(8, HOST_IS_LITTLE_ENDIAN),
    body: bytes.subarray(MESSAGE_HEADER_BYTES),
  }
}
