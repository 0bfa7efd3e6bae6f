/**
 * Messages: struct nlmsghdr, a structure that depends on the protocol, and attributes, padded to 4 bytes.
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
  /** On parts of a dump: the objects changed while they were dumped. */
  dumpInterrupted: 0x10,
  // For requests that get:
  dump: 0x300,
  // For requests that create:
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  // For errors:
  capped: 0x100,
  acknowledgeAttributes: 0x200,
} as const

export const controlType = { noop: 1, error: 2, done: 3, overrun: 4 } as const

/** A received message. */
export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** Everything after the header, without the padding at the end. */
  readonly body: Uint8Array
}

/** A message to send. */
export interface OutgoingMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** The structure before the attributes; its length is a multiple of 4. */
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

/** Encodes several messages into one payload, one after the other. */
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

/** All messages of a datagram. @throws {NsmError} `invalid_argument` when one extends beyond the end */
export function decodeMessages(bytes: Uint8Array): readonly Message[] {
  const messages: Message[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = readLength(bytes.subarray(at))
    if (length > bytes.length - at) throw malformed('a message extends beyond the end', { at, length })
    messages.push(messageAt(bytes.subarray(at, at + length)))
    at += align(length)
  }
  return messages
}

/** The complete messages of a stream so far, and the bytes of the incomplete one after them. */
export interface Taken {
  readonly messages: readonly Message[]
  readonly rest: Uint8Array
}

/**
 * Takes at most `limit` complete messages from the beginning of a stream.
 * @throws {NsmError} `invalid_argument` for an impossible length, after which the stream cannot be read any further
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
