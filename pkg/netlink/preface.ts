/**
 * The preface: the first message on a local connection that the holder accepted or dialled. It carries the kernel's
 * record of the process at the other end; the bytes after it are the peer's own. To reach a local endpoint, a daemon
 * first sends a dial message with the endpoint's URL.
 */

import type { Attestation } from '../api/index.ts'
import { formatNamespaceId, parseNamespaceId } from '../net/index.ts'
import { answerError, readAnswer } from './answer.ts'
import { attribute } from './attribute.ts'
import { Attributes } from './attributes.ts'
import { malformed } from './bytes.ts'
import { encodeMessage, type Message, messageFlag, takeMessages } from './message.ts'
import { attributeType, MAX_MESSAGE_BYTES, messageType, PREFACE_VERSION } from './protocol.ts'

/** The process at the other end of a local connection. */
export interface LocalPeer extends Attestation {
  /** Name of the holder's socket that accepted the connection; empty for one that the holder dialled. */
  readonly listener: string
}

export interface Preface {
  readonly attestation: LocalPeer
  /** Length of the preface in bytes; the peer's own bytes follow. */
  readonly length: number
}

/**
 * Reads the preface at the start of a connection.
 * @returns undefined while `bytes` does not yet contain all of it
 * @throws {NsmError} the holder's refusal of a dial, or `invalid_argument` for anything that is not a preface
 */
export function readPreface(bytes: Uint8Array): Preface | undefined {
  const { messages, rest } = takeMessages(bytes, { maxBytes: MAX_MESSAGE_BYTES, limit: 1 })
  const message = messages[0]
  if (message === undefined) return undefined
  const answer = readAnswer(message)
  if (answer !== undefined) throw answerError('Cannot reach the local endpoint', answer)
  if (message.type !== messageType.preface) throw malformed('it is not a preface', { type: message.type })
  return { attestation: readAttestation(message), length: bytes.length - rest.length }
}

/**
 * The first message of a daemon on the holder's dial socket. The holder answers with a preface or a refusal.
 * @param uid with whose rights to connect; undefined: nobody's
 */
export function dialMessage(url: string, uid?: number): Uint8Array {
  return encodeMessage({
    type: messageType.dial,
    flags: messageFlag.request,
    sequence: 1,
    attributes: [
      attribute.text(attributeType.url, url),
      ...(uid === undefined ? [] : [attribute.u32(attributeType.uid, uid)]),
    ],
  }).bytes
}

/** Encodes a preface, for tests that play the holder. */
export function prefaceMessage({ namespace, ...attested }: LocalPeer): Uint8Array {
  const { dev, ino } = parseNamespaceId(namespace)
  const { u8, u32, u64, text } = attribute
  return encodeMessage({
    type: messageType.preface,
    flags: 0,
    sequence: 0,
    attributes: [
      u32(attributeType.versionAttr, PREFACE_VERSION),
      ...(attested.listener === '' ? [] : [text(attributeType.listener, attested.listener)]),
      u64(attributeType.connection, attested.connectionId),
      u32(attributeType.pid, attested.pid),
      u32(attributeType.uid, attested.uid),
      u32(attributeType.gid, attested.gid),
      u64(attributeType.nsDev, dev),
      u64(attributeType.nsIno, ino),
      text(attributeType.cgroup, attested.cgroup),
      u64(attributeType.pidNs, attested.pidNamespace),
      u64(attributeType.userNs, attested.userNamespace),
      u64(attributeType.mountNs, attested.mountNamespace),
      text(attributeType.pod, attested.pod),
      text(attributeType.account, attested.account),
      u8(attributeType.nodesOwn, attested.isNodesOwn ? 1 : 0),
    ],
  }).bytes
}

function readAttestation({ body }: Message): LocalPeer {
  const attributes = new Attributes(body)
  const require = requireIn(attributes)
  const uid = require.u32(attributeType.uid)
  const isFirstVersion = attributes.u32(attributeType.versionAttr) === undefined
  return {
    listener: attributes.text(attributeType.listener) ?? '',
    connectionId: require.u64(attributeType.connection),
    pid: require.u32(attributeType.pid),
    uid,
    gid: require.u32(attributeType.gid),
    namespace: formatNamespaceId({ dev: require.u64(attributeType.nsDev), ino: require.u64(attributeType.nsIno) }),
    cgroup: attributes.text(attributeType.cgroup) ?? '',
    ...(isFirstVersion ? { ...UNKNOWN, account: `uid/${uid}` } : readPlace(attributes)),
  }
}

/** What the first version of the preface does not say. During an upgrade, nsmd may be newer than the holder. */
const UNKNOWN = { pidNamespace: 0n, userNamespace: 0n, mountNamespace: 0n, pod: '', isNodesOwn: false }

function readPlace(attributes: Attributes): Pick<LocalPeer, keyof typeof UNKNOWN | 'account'> {
  const require = requireIn(attributes)
  return {
    pidNamespace: require.u64(attributeType.pidNs),
    userNamespace: require.u64(attributeType.userNs),
    mountNamespace: require.u64(attributeType.mountNs),
    pod: require.text(attributeType.pod),
    account: require.text(attributeType.account),
    isNodesOwn: require.u8(attributeType.nodesOwn) === 1,
  }
}

function requireIn(attributes: Attributes) {
  const require = <T>(type: number, value: T | undefined): T => {
    if (value === undefined) throw malformed('the preface lacks an attribute', { attribute: type })
    return value
  }
  return {
    u8: (type: number) => require(type, attributes.u8(type)),
    u32: (type: number) => require(type, attributes.u32(type)),
    u64: (type: number) => require(type, attributes.u64(type)),
    text: (type: number) => require(type, attributes.text(type)),
  }
}
