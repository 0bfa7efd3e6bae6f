/**
 * A side that leads to another node by the WireGuard protocol. A node answers every handshake with its node key and
 * initiates each wire with a key of its own, so that a wire is known by its first packet. A foreign peer has one key
 * for both and expects the same of us: for it our node key is also the key of the wire.
 */
import { type Mechanism, PAYLOAD_ETHERNET, PAYLOAD_IP, REMOTE, WIREGUARD, type WireguardEnd } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import {
  type AeadName,
  generateKey,
  isAeadName,
  lowestMtuBytes,
  negotiateAead,
  publicKeyOf,
  readWireguard,
  tunnelMtuBytes,
  WIREGUARD_AEAD,
  type WireguardMechanism,
  type WireguardSide,
  type WireKey,
  writeWireguard,
} from '../tunnel/index.ts'
import type { Tunnel } from './parts.ts'
import type { Side } from './side.ts'

/** As WireGuard's users set it behind NAT: the far side's idea of our address stays fresh. */
const KEEPALIVE_SECONDS = 10

export interface WireguardWish {
  /** Address of the other node. */
  readonly peerIp: string
  /** Ethernet frames are to go into the tunnel, not IP packets. */
  readonly carriesFrames: boolean
}

/** What the other node offered, with our half filled in. `wireKey` is the one of before, on a refresh. */
export function acceptWireguard(tunnel: Tunnel, offered: Mechanism, wireKey: string | undefined): Side {
  const mechanism = readWireguard(offered.parameters)
  const peer = demand(mechanism.src, 'src')
  const key = peer.nodeKey === undefined ? tunnel.nodeKey : wireKeyFrom(wireKey)
  const aead = peer.nodeKey === undefined ? WIREGUARD_AEAD : negotiateAead(mechanism.aeads, tunnel.aeads())
  const carriesFrames = peer.nodeKey !== undefined && mechanism.offersFrames
  const mtuBytes = lowestMtuBytes(mechanism.mtuBytes, ownMtu(tunnel, { peerIp: peer.ip, carriesFrames }))
  const pathMessages = peer.nodeKey !== undefined && mechanism.pathMessages
  const agreed = { aead, carriesFrames, pathMessages, mtuBytes }
  return sideOf({ peer, key, mechanism: { ...mechanism, dst: half(tunnel, key), ...agreed } })
}

/** What we ask the other node for. */
export function offerWireguard(tunnel: Tunnel, key: WireKey, wish: WireguardWish): Mechanism {
  return write({
    src: half(tunnel, key),
    dst: undefined,
    aeads: tunnel.aeads(),
    aead: undefined,
    offersFrames: wish.carriesFrames,
    carriesFrames: false,
    pathMessages: true,
    mtuBytes: ownMtu(tunnel, wish),
  })
}

/** What the other node made of our offer. */
export function joinWireguard(tunnel: Tunnel, key: WireKey, answered: Mechanism): Side {
  const mechanism = readWireguard(answered.parameters)
  const peer = demand(mechanism.dst, 'dst')
  const aead = peer.nodeKey === undefined ? WIREGUARD_AEAD : checkTaken(mechanism.aead, tunnel.aeads())
  const wish = { peerIp: peer.ip, carriesFrames: mechanism.carriesFrames }
  const mtuBytes = lowestMtuBytes(mechanism.mtuBytes, ownMtu(tunnel, wish))
  const pathMessages = peer.nodeKey !== undefined && mechanism.pathMessages
  return sideOf({ peer, key, mechanism: { ...mechanism, aead, pathMessages, mtuBytes } })
}

/** WireGuard's own needs no offer. @throws {NsmError} `failed_precondition` for another one that was not offered */
function checkTaken(taken: string | undefined, offered: readonly AeadName[]): AeadName {
  if (taken === undefined || taken === WIREGUARD_AEAD) return WIREGUARD_AEAD
  if (isAeadName(taken) && offered.includes(taken)) return taken
  throw new NsmError('failed_precondition', 'Cannot seal the wire: the other node chose what we did not offer', {
    fields: { aead: taken.slice(0, 64) },
  })
}

/** Whether the answer is of a node that is not ours, which would take our wire's key for our only one. */
export function isForeignAnswer(answered: Mechanism): boolean {
  return answered.type === WIREGUARD && readWireguard(answered.parameters).dst?.nodeKey === undefined
}

export function wireKeyFrom(privateKey: string | undefined): WireKey {
  return privateKey === undefined ? generateKey() : { privateKey, publicKey: publicKeyOf(privateKey) }
}

interface Joined {
  readonly peer: WireguardSide
  readonly key: WireKey
  readonly mechanism: WireguardMechanism & { readonly aead: AeadName }
}

function sideOf({ peer, key, mechanism }: Joined): Side {
  const end: WireguardEnd = {
    kind: 'wireguard',
    privateKey: key.privateKey,
    peerResponderKey: peer.nodeKey ?? peer.publicKey,
    peerInitiatorKey: peer.publicKey,
    peer: { ip: peer.ip, port: peer.port },
    aead: mechanism.aead,
    roaming: false, // the other node's address is what it signed, never what a packet claims
    keepaliveSeconds: KEEPALIVE_SECONDS,
    pathMessages: mechanism.pathMessages,
  }
  return {
    mechanism: write(mechanism),
    payload: mechanism.carriesFrames ? PAYLOAD_ETHERNET : PAYLOAD_IP,
    mostMtuBytes: mechanism.mtuBytes,
    wireKey: key.privateKey,
    plan: () => end,
  }
}

function half({ ip, port, nodeKey }: Tunnel, key: WireKey): WireguardSide {
  return { ip, port, publicKey: key.publicKey, nodeKey: nodeKey.publicKey }
}

function ownMtu({ mtuBytes }: Tunnel, { peerIp, carriesFrames }: WireguardWish): number {
  const type = carriesFrames ? 'WIREGUARD of frames' : WIREGUARD
  return tunnelMtuBytes({ type, linkMtuBytes: mtuBytes, peerIp })
}

function write(mechanism: WireguardMechanism): Mechanism {
  return { cls: REMOTE, type: WIREGUARD, parameters: writeWireguard(mechanism) }
}

function demand(side: WireguardSide | undefined, name: string): WireguardSide {
  if (side !== undefined) return side
  throw new NsmError('invalid_argument', 'Cannot use the WIREGUARD mechanism: a public key is missing', {
    fields: { parameter: `${name}_public_key` },
  })
}
