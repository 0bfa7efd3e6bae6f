/**
 * What nsm-cni says on the holder's cni socket, behind the preface: that a pod's sandbox starts, or that it ends. Each is
 * one request, and gets one answer. A refusal carries the sentence that the events of the pod show.
 */
import { type Attribute, attribute } from './attribute.ts'
import { Attributes } from './attributes.ts'
import { HOST_IS_LITTLE_ENDIAN, malformed, viewOf } from './bytes.ts'
import { errno } from './errno.ts'
import { controlType, encodeMessage, MESSAGE_HEADER_BYTES, type Message, messageFlag, takeMessages } from './message.ts'
import { namespaceAttributes, readNamespace } from './object-attributes.ts'
import { attributeType, MAX_MESSAGE_BYTES, messageType } from './protocol.ts'

/** The sandbox of a pod, as the container runtime names it. */
export interface GateSandbox {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Container id of the sandbox. */
  readonly sandbox: string
}

/** In a call that adds, the pod waits for the answer; `network` is its network namespace, `inode://<dev>/<ino>`. */
export type GateCall =
  | ({ readonly at: 'add'; readonly network: string } & GateSandbox)
  | ({ readonly at: 'del' } & GateSandbox)

export interface ReceivedCall {
  readonly call: GateCall
  /** Which its answer repeats. */
  readonly sequence: number
}

/**
 * Reads the call at the start of `bytes`.
 * @returns undefined while `bytes` does not yet contain all of it
 * @throws {NsmError} `invalid_argument` for anything that is no call of nsm-cni
 */
export function readGateCall(bytes: Uint8Array): ReceivedCall | undefined {
  const [message] = takeMessages(bytes, { maxBytes: MAX_MESSAGE_BYTES, limit: 1 }).messages
  return message && { call: readCall(message), sequence: message.sequence }
}

/** @param refusal why the pod does not start, in one sentence; undefined: it may */
export function gateAnswer(sequence: number, refusal: string | undefined): Uint8Array {
  const error = new Uint8Array(4 + MESSAGE_HEADER_BYTES)
  if (refusal !== undefined) viewOf(error).setInt32(0, -errno.EAGAIN, HOST_IS_LITTLE_ENDIAN)
  const flags = messageFlag.capped | (refusal === undefined ? 0 : messageFlag.acknowledgeAttributes)
  const attributes = refusal === undefined ? [] : [attribute.text(REFUSAL, refusal)]
  return encodeMessage({ type: controlType.error, flags, sequence, fixed: error, attributes }).bytes
}

/** Encodes a call, for tests that play nsm-cni. */
export function gateMessage(call: GateCall): Uint8Array {
  const { text } = attribute
  const attributes: readonly Attribute[] = [
    text(attributeType.pod, call.uid),
    text(attributeType.podNamespace, call.namespace),
    text(attributeType.podName, call.name),
    text(attributeType.sandbox, call.sandbox),
    ...(call.at === 'add' ? namespaceAttributes(call.network) : []),
  ]
  const type = call.at === 'add' ? messageType.podAdd : messageType.podDel
  return encodeMessage({ type, flags: messageFlag.request | messageFlag.acknowledge, sequence: 1, attributes }).bytes
}

/** NLMSGERR_ATTR_MSG */
const REFUSAL = 1

function readCall({ type, body }: Message): GateCall {
  if (type !== messageType.podAdd && type !== messageType.podDel) {
    throw malformed('it is no call of nsm-cni', { type })
  }
  const attributes = new Attributes(body)
  const require = (wanted: number): string => {
    const value = attributes.text(wanted)
    if (value === undefined || value === '') throw malformed('the call lacks an attribute', { attribute: wanted })
    return value
  }
  const sandbox = {
    uid: require(attributeType.pod),
    namespace: require(attributeType.podNamespace),
    name: require(attributeType.podName),
    sandbox: require(attributeType.sandbox),
  }
  if (type === messageType.podDel) return { at: 'del', ...sandbox }
  const network = readNamespace(attributes)
  if (network === undefined) throw malformed('the call lacks an attribute', { attribute: attributeType.nsIno })
  return { at: 'add', network, ...sandbox }
}
