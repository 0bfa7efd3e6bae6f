/**
 * The WIREGUARD mechanism: to another node by the WireGuard protocol. A node answers every handshake with its node key,
 * and initiates each wire with a key of its own, so that the first packet tells the wire. A foreign peer has one key for
 * both and expects the same of us: for such a peer, our node key is also the key of the wire.
 */
import { type Mechanism, PAYLOAD_ETHERNET, PAYLOAD_IP } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import {
  ETHERNET_HEADER_BYTES,
  type IpFamily,
  isSameAddress,
  udpOverheadBytes,
  VLAN_TAG_BYTES,
} from '../../net/index.ts'
import { generateKey, publicKeyOf, type WireKey } from '../key.ts'
import {
  type AgreedEnd,
  EMPTY_VIEW,
  type MechanismKind,
  type Proposal,
  REMOTE,
  type Role,
  type Tunnel,
  type Wanted,
} from '../mechanism-kind.ts'
import { lowestMtuBytes, tunnelMtuBytes } from '../mtu.ts'
import { checkPeer } from '../parameters.ts'
import {
  chooseTerms,
  EXACT_WIREGUARD,
  offersFrames,
  offerTerms,
  readWireguard,
  type Terms,
  takeTerms,
  type WireguardParameters,
  type WireguardPeer,
  writeWireguard,
} from './agreement.ts'
import { viewPort, type WireguardEnd, type WireguardPortSpec, type WireguardPortStatus, wireguardPort } from './port.ts'

const WIREGUARD = 'WIREGUARD'
/** The kind of its ports, and the id of their underlay. */
const KIND = 'wireguard'

/** Short enough to keep the mapping of a NAT between the nodes. */
const KEEPALIVE_SECONDS = 10

/** Type, receiver index and counter (16 bytes), and the authentication tag (16 bytes). */
const TRANSPORT_BYTES = 32
/** The length field before an Ethernet frame. */
const FRAME_LENGTH_BYTES = 2

/** Where one of these differs, the dataplane makes the port anew, and with it the session. */
const SESSION_FIELDS = ['privateKey', 'peerResponderKey', 'peerInitiatorKey', 'aead'] as const

export const wireguard: MechanismKind<WireguardEnd, WireguardPortSpec, WireguardPortStatus> = {
  kind: KIND,
  cls: REMOTE,
  type: WIREGUARD,
  payloads: [PAYLOAD_IP],
  port: wireguardPort,
  hasSession: true,
  isSameSession: (one, other) => SESSION_FIELDS.every((field) => one[field] === other[field]),

  accept(offered, { host: { tunnel }, before }) {
    const parameters = readWireguard(offered.parameters)
    const peer = checkPeer(demand(parameters.src, 'src'), tunnel)
    const isForeign = peer.nodeKey === undefined
    const key = isForeign ? tunnel.nodeKey : wireKeyFrom(before.wireKey)
    const carriesFrames = !isForeign && parameters.offersFrames
    const mtuBytes = lowestMtuBytes(parameters.mtuBytes, ownMtu(tunnel, carriesFrames))
    const terms = chooseTerms(parameters, tunnel)
    const agreed = { ...parameters, ...terms, dst: ourselves(tunnel, key), carriesFrames, mtuBytes }
    return agree({ role: 'client', peer, key, terms, parameters: agreed })
  },

  offer: (wanted) => propose(wanted, wireKeyFrom(wanted.before.wireKey)),

  isForOursAlone: ({ parameters }) => offersFrames(parameters),

  isAgreedHere({ parameters }, role, tunnel) {
    const { src, dst } = readWireguard(parameters)
    const agreed = role === 'client' ? dst : src
    return agreed === undefined || isSameAddress(agreed, ourselves(tunnel, tunnel.nodeKey))
  },

  plan({ role: _, ...end }, place) {
    const prefixes = place.payload === PAYLOAD_ETHERNET ? { localPrefixes: [], remotePrefixes: [] } : {}
    // An end that an earlier release has stored lacks the terms that came later.
    return { ...EXACT_WIREGUARD, ...end, ...place, ...prefixes, underlay: KIND }
  },

  underlay: ({ listenIp, ports, nodeKey }) => ({
    id: KIND,
    kind: KIND,
    listen: { ip: listenIp, port: ports[KIND] ?? 0 },
    privateKey: nodeKey.privateKey,
  }),

  view: (end, status) => ({ ...EMPTY_VIEW, mechanism: WIREGUARD, ...viewPort(end, status) }),
}

function propose(wanted: Wanted, key: WireKey): Proposal<WireguardEnd> {
  const { tunnel } = wanted.host
  const isForFrames = wanted.payload === PAYLOAD_ETHERNET
  const mechanism = write({
    src: ourselves(tunnel, key),
    dst: undefined,
    ...offerTerms(tunnel),
    offersFrames: isForFrames,
    carriesFrames: false,
    mtuBytes: ownMtu(tunnel, isForFrames),
  })
  return {
    mechanism,
    join: ({ parameters }) => join(tunnel, key, readWireguard(parameters)),
    // A foreign node takes the wire's key for our only one.
    instead({ parameters }) {
      if (isForFrames || key.privateKey === tunnel.nodeKey.privateKey) return undefined
      const isForeign = readWireguard(parameters).dst?.nodeKey === undefined
      return isForeign ? propose(wanted, tunnel.nodeKey) : undefined
    },
  }
}

/** What the other node has made of our offer. */
function join(tunnel: Tunnel, key: WireKey, answered: WireguardParameters): AgreedEnd<WireguardEnd> {
  const peer = checkPeer(demand(answered.dst, 'dst'), tunnel)
  const terms = takeTerms(answered, tunnel)
  const mtuBytes = lowestMtuBytes(answered.mtuBytes, ownMtu(tunnel, answered.carriesFrames))
  return agree({ role: 'server', peer, key, terms, parameters: { ...answered, ...terms, mtuBytes } })
}

interface Agreement {
  readonly role: Role
  readonly peer: WireguardPeer
  readonly key: WireKey
  readonly terms: Terms
  readonly parameters: WireguardParameters
}

function agree({ role, peer, key, terms, parameters }: Agreement): AgreedEnd<WireguardEnd> {
  const { ip, port, publicKey, nodeKey = publicKey } = peer
  const end: WireguardEnd = {
    kind: KIND,
    role,
    privateKey: key.privateKey,
    peerResponderKey: nodeKey,
    peerInitiatorKey: publicKey,
    peer: { ip, port },
    roaming: false, // its address is the one in its signed answer, never the source of a packet
    keepaliveSeconds: KEEPALIVE_SECONDS,
    ...terms,
  }
  const payload = parameters.carriesFrames ? PAYLOAD_ETHERNET : PAYLOAD_IP
  return {
    end,
    mechanism: write(parameters),
    payload,
    maxMtuBytes: parameters.mtuBytes,
    wireKey: key.privateKey,
  }
}

function wireKeyFrom(privateKey: string | undefined): WireKey {
  return privateKey === undefined ? generateKey() : { privateKey, publicKey: publicKeyOf(privateKey) }
}

function ourselves({ ip, ports, nodeKey }: Tunnel, key: WireKey): WireguardPeer {
  return { ip, port: ports[KIND] ?? 0, publicKey: key.publicKey, nodeKey: nodeKey.publicKey }
}

function ownMtu({ ip, mtuBytes }: Tunnel, carriesFrames: boolean): number {
  const overheadBytes = carriesFrames ? frameOverheadBytes : packetOverheadBytes
  return tunnelMtuBytes({ linkMtuBytes: mtuBytes, ip, overheadBytes })
}

/** Outer IP, UDP and WireGuard headers around an inner IP packet: 60 over IPv4, 80 over IPv6. */
export function packetOverheadBytes(family: IpFamily): number {
  return udpOverheadBytes(family) + TRANSPORT_BYTES
}

/**
 * The overhead of WireGuard around an IP packet in an Ethernet frame, including the length field, the Ethernet header
 * and a VLAN tag: 80 over IPv4, 100 over IPv6.
 */
export function frameOverheadBytes(family: IpFamily): number {
  return packetOverheadBytes(family) + FRAME_LENGTH_BYTES + ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES
}

function write(parameters: WireguardParameters): Mechanism {
  return { cls: REMOTE, type: WIREGUARD, parameters: writeWireguard(parameters) }
}

function demand(peer: WireguardPeer | undefined, name: string): WireguardPeer {
  if (peer !== undefined) return peer
  throw new NsmError('invalid_argument', 'Cannot use the WIREGUARD mechanism: a public key is missing', {
    fields: { parameter: `${name}_public_key` },
  })
}
