/** An end that leads to another node through WireGuard, and its port of the dataplane. */
import { PAYLOAD_ETHERNET, PAYLOAD_IP, type Payload } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import type { SocketAddress } from '../../net/index.ts'
import {
  type Attributes,
  aeadKind,
  attribute,
  attributeType,
  payloadKind,
  portKind,
  sessionState,
  underlayKind,
  verdict,
} from '../../netlink/index.ts'
import { isWireKey, publicKeyOf } from '../key.ts'
import type { AnyEnd, Verdict } from '../mechanism-kind.ts'
import {
  type Field,
  type Fields,
  flagField,
  keyField,
  nameField,
  peerField,
  prefixesField,
  readFields,
  textField,
  u16Field,
  u32Field,
  writeFields,
} from '../port-fields.ts'
import type { AnyPort, PortKind, PortPlace } from '../port-kind.ts'
import type { Terms } from './agreement.ts'

/** Keys are base64 of 32 bytes. */
export interface WireguardEnd extends AnyEnd, Terms {
  readonly kind: 'wireguard'
  /** The X25519 key with which this wire initiates handshakes. */
  readonly privateKey: string
  readonly peerResponderKey: string
  readonly peerInitiatorKey: string
  readonly peer: SocketAddress
  /** Whether the address of the peer follows its authenticated packets. That of a node of nsmesh is fixed. */
  readonly roaming: boolean
  readonly keepaliveSeconds: number
}

/** The end in its place. Frames are not held to addresses, so they have no prefixes. */
export interface WireguardPortSpec extends Omit<WireguardEnd, 'role'>, PortPlace {
  readonly underlay: string
}

/** What the dataplane reports. It gives the public key, and never the private one. */
export interface WireguardPortStatus extends Omit<WireguardPortSpec, 'privateKey'> {
  readonly publicKey: string
  readonly session: keyof typeof SESSIONS
  readonly handshakeAgeMs: number | undefined
  /** Whether packets pass both ways in its session, and if not, why. */
  readonly verdict: Verdict
  readonly reason: string
}

const AEADS = { chacha20poly1305: aeadKind.chaCha20Poly1305, aes256gcm: aeadKind.aes256Gcm } as const

const SESSIONS = {
  idle: sessionState.idle,
  handshaking: sessionState.handshaking,
  established: sessionState.established,
  'receive-only': sessionState.receiveOnly,
} as const

const VERDICTS = { unknown: verdict.verdictUnknown, up: verdict.verdictUp, down: verdict.verdictDown } as const

/** Absent for IP packets, for engines that know no other payload. */
const payloadField: Field<Payload> = {
  write: (payload) =>
    payload === PAYLOAD_IP ? [] : [attribute.u8(attributeType.payloadKind, payloadKind.ethernetPayload)],
  read: (attributes) =>
    attributes.u8(attributeType.payloadKind) === payloadKind.ethernetPayload ? PAYLOAD_ETHERNET : PAYLOAD_IP,
}

const ageField: Pick<Field<number | undefined>, 'read'> = {
  read: (attributes) => {
    const ageMs = attributes.u64(attributeType.handshakeAgeMs)
    return ageMs === undefined ? undefined : Number(ageMs)
  },
}

/** The fields that are both set and reported. */
const common: Fields<Omit<WireguardPortSpec, keyof AnyPort | 'privateKey'>> = {
  underlay: textField(attributeType.underlay),
  peer: peerField,
  mtuBytes: u32Field(attributeType.mtuBytes),
  peerResponderKey: keyField(attributeType.peerResponderKey),
  peerInitiatorKey: keyField(attributeType.peerInitiatorKey),
  aead: nameField(attributeType.aead, AEADS),
  roaming: flagField(attributeType.roaming),
  localPrefixes: prefixesField(attributeType.localPrefix),
  remotePrefixes: prefixesField(attributeType.remotePrefix),
  keepaliveSeconds: u16Field(attributeType.keepaliveSeconds),
  payload: payloadField,
  probeMessages: flagField(attributeType.probeMessages),
}

const privateKeyField = keyField(attributeType.privateKey)
const publicKeyField = keyField(attributeType.publicKey)
const sessionField = nameField(attributeType.sessionState, SESSIONS)
const verdictField = nameField(attributeType.sessionVerdict, VERDICTS)

/** An engine of 0.2 and earlier gives no verdict: a session that can send is what it has. */
function readVerdict(attributes: Attributes): Verdict {
  if (attributes.u8(attributeType.sessionVerdict) !== undefined) return verdictField.read(attributes)
  return sessionField.read(attributes) === 'established' ? 'up' : 'unknown'
}

export const wireguardPort: PortKind<WireguardPortSpec, WireguardPortStatus> = {
  kinds: [['wireguard', portKind.wireguard]],
  isDevice: false,
  underlayNumber: underlayKind.underlayWireguard,
  carries: ({ payload }) => payload,
  packetKey: ({ peerInitiatorKey }) => peerInitiatorKey,
  check({ id, payload, privateKey, peerResponderKey, peerInitiatorKey, localPrefixes, remotePrefixes }) {
    if (payload === PAYLOAD_ETHERNET && localPrefixes.length + remotePrefixes.length > 0) {
      throw refuse(id, 'frames are held to no addresses')
    }
    if (![privateKey, peerResponderKey, peerInitiatorKey].every(isWireKey)) {
      throw refuse(id, 'a key is not base64 of 32 bytes')
    }
  },
  encode: (spec) => [...privateKeyField.write(spec.privateKey), ...writeFields(common, spec)],
  decode: (named, attributes) => ({
    ...named,
    ...readFields(common, attributes),
    publicKey: publicKeyField.read(attributes),
    session: sessionField.read(attributes),
    handshakeAgeMs: ageField.read(attributes),
    verdict: readVerdict(attributes),
    reason: attributes.text(attributeType.text) ?? '',
  }),
  fresh({ privateKey, ...said }) {
    const state = { session: 'idle', handshakeAgeMs: undefined, verdict: 'unknown', reason: '' } as const
    return { ...said, publicKey: publicKeyOf(privateKey), ...state }
  },
  /** With prefixes in one order, and without the address of a peer that may roam. */
  steady({
    session: _,
    handshakeAgeMs: __,
    verdict: ___,
    reason: ____,
    peer,
    localPrefixes,
    remotePrefixes,
    ...steady
  }) {
    return {
      ...steady,
      localPrefixes: [...localPrefixes].sort(),
      remotePrefixes: [...remotePrefixes].sort(),
      peer: steady.roaming ? undefined : peer,
    }
  },
}

/** The part of the view that comes from the port. */
export function viewPort({ peer, aead, probeMessages }: WireguardEnd, status: WireguardPortStatus | undefined) {
  if (status === undefined) return { peer, aead, isProbed: probeMessages }
  const { session, handshakeAgeMs, verdict, reason } = status
  return { peer, aead, isProbed: probeMessages, session, handshakeAgeMs, verdict, reason }
}

function refuse(id: string, state: string): NsmError {
  return new NsmError('invalid_argument', `Cannot set the port: ${state}`, { fields: { id } })
}
