import {
  Attributes,
  attributeType,
  eventKind,
  type Message,
  readNamespace,
  readPeer,
  required,
} from '../netlink/index.ts'
import type { DataplaneEvent } from './door.ts'

/** Undefined for a kind of event that a newer dataplane knows. @throws {NsmError} `internal` when something is missing */
export function decodeEvent({ body }: Message): DataplaneEvent | undefined {
  const attributes = new Attributes(body)
  const port = () => required('event', attributeType.id, attributes.text(attributeType.id))
  const pid = () => required('event', attributeType.enginePid, attributes.u32(attributeType.enginePid))
  const reason = attributes.text(attributeType.text) ?? ''
  switch (attributes.u8(attributeType.eventKind)) {
    case eventKind.engineStarted:
      return { at: 'engine-started', pid: pid(), restarts: attributes.u32(attributeType.engineRestarts) ?? 0 }
    case eventKind.engineDied:
      return { at: 'engine-died', pid: pid(), reason }
    case eventKind.sessionUp:
      return { at: 'session-up', port: port() }
    case eventKind.sessionDown:
      return { at: 'session-down', port: port(), reason }
    case eventKind.clientGone: {
      const connection = attributes.u64(attributeType.connection)
      return { at: 'client-gone', connectionId: required('event', attributeType.connection, connection) }
    }
    case eventKind.peerMoved:
      return { at: 'peer-moved', port: port(), peer: readPeer(attributes) }
    case eventKind.linkQualityDown:
      return { at: 'link-quality-down', peer: readPeer(attributes), reason }
    case eventKind.linkQualityUp:
      return { at: 'link-quality-up', peer: readPeer(attributes) }
    case eventKind.pathMtuChanged: {
      const mtuBytes = required('event', attributeType.mtuBytes, attributes.u32(attributeType.mtuBytes))
      return { at: 'path-mtu-changed', peer: readPeer(attributes), mtuBytes }
    }
    case eventKind.namespaceEmpty:
      return { at: 'namespace-empty', namespace: required('event', attributeType.nsIno, readNamespace(attributes)) }
  }
  return undefined
}
