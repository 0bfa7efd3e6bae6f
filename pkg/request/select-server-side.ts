/** How the endpoint is joined: by an interface when it is on this node, by a tunnel to the node where it lives. */
import {
  type Connection,
  KERNEL,
  LOCAL,
  type Mechanism,
  PAYLOAD_ETHERNET,
  parameter,
  VXLAN,
  WIREGUARD,
} from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { parseSocketAddress } from '../net/index.ts'
import { generateInterfaceName, type WireKey } from '../tunnel/index.ts'
import type { Asking, Hop, Self, Tunnel } from './parts.ts'
import type { Chosen } from './select-endpoint.ts'
import { attestedNamespace, localSide, type Side } from './side.ts'
import { joinVxlan, offerVxlan } from './vxlan-side.ts'
import { isForeignAnswer, joinWireguard, offerWireguard, wireKeyFrom } from './wireguard-side.ts'

/** What the next hop may choose from, and what its choice means for us. */
export interface Offer {
  readonly preferences: readonly Mechanism[]
  readonly mostMtuBytes: number | undefined
  /** @throws {NsmError} when the answer cannot be joined. */
  accept(answer: Connection): Side
  /** The offer to make instead, when the answer shows a peer that this one was not made for. */
  instead(answer: Connection): Offer | undefined
}

export function offerTo(self: Self, { target, payload, known }: Chosen & Pick<Asking, 'known'>, hop: Hop): Offer {
  if (target.at === 'endpoint') return kernelOffer(self, hop, known?.outgoing.mechanism)
  const peerIp = addressOf(target.url)
  const makeOffer = payload === PAYLOAD_ETHERNET ? frameOffer : packetOffer
  return makeOffer(self.tunnel, peerIp, wireKeyFrom(known?.serverKey))
}

/** @param before as the endpoint was joined until now: an interface that nobody names keeps its name. */
function kernelOffer({ hostNamespace }: Self, { namespace }: Hop, before: Mechanism | undefined): Offer {
  return {
    preferences: [{ cls: LOCAL, type: KERNEL, parameters: {} }],
    mostMtuBytes: undefined,
    accept: ({ mechanism, networkService }) => {
      if (mechanism?.type !== KERNEL || namespace === undefined) throw refusedMechanism(mechanism)
      return localSide({
        role: 'server',
        namespace: attestedNamespace(mechanism, namespace, hostNamespace),
        interfaceName: nameIn(mechanism) || nameIn(before) || generateInterfaceName(networkService),
        mechanism,
      })
    },
    instead: () => undefined,
  }
}

/** Encrypted; where the operator allows plaintext wires, also those, for nodes that have nothing else. */
function packetOffer(tunnel: Tunnel, peerIp: string, key: WireKey): Offer {
  const wireguard = offerWireguard(tunnel, key, { peerIp, carriesFrames: false })
  return {
    preferences: tunnel.vxlanPort === undefined ? [wireguard] : [wireguard, offerVxlan(tunnel, peerIp)],
    mostMtuBytes: Number(wireguard.parameters[parameter.mtu]),
    accept: ({ mechanism }) => {
      if (mechanism?.type === WIREGUARD) return joinWireguard(tunnel, key, mechanism)
      if (mechanism?.type === VXLAN && tunnel.vxlanPort !== undefined) return joinVxlan(tunnel, mechanism)
      throw refusedMechanism(mechanism)
    },
    instead: ({ mechanism }) => {
      const isKeyFit = key.privateKey === tunnel.nodeKey.privateKey
      if (mechanism === undefined || isKeyFit || !isForeignAnswer(mechanism)) return undefined
      return packetOffer(tunnel, peerIp, tunnel.nodeKey)
    },
  }
}

/**
 * Frames go inside WireGuard, between nodes of ours alone. Where the operator allows plaintext wires, they go by VXLAN
 * to all others: these take the first offer that they know, so that one stands in front; ours look for the sealed one.
 */
function frameOffer(tunnel: Tunnel, peerIp: string, key: WireKey): Offer {
  const wireguard = offerWireguard(tunnel, key, { peerIp, carriesFrames: true })
  const preferences = tunnel.vxlanPort === undefined ? [wireguard] : [offerVxlan(tunnel, peerIp), wireguard]
  return {
    preferences,
    mostMtuBytes: Math.max(...preferences.map(({ parameters }) => Number(parameters[parameter.mtu]))),
    accept: ({ mechanism }) => {
      if (mechanism?.type === VXLAN && tunnel.vxlanPort !== undefined) return joinVxlan(tunnel, mechanism)
      const side = mechanism?.type === WIREGUARD ? joinWireguard(tunnel, key, mechanism) : undefined
      if (side?.payload !== PAYLOAD_ETHERNET) throw refusedFrames(mechanism)
      return side
    },
    instead: () => undefined,
  }
}

function refusedFrames(mechanism: Mechanism | undefined): NsmError {
  return new NsmError('failed_precondition', 'Cannot carry Ethernet frames: the other node takes none by WIREGUARD', {
    fields: { mechanism: nameOf(mechanism) },
    next: 'register the network service with payload IP, or set NSM_VXLAN_PORT=4789 on both nodes (plaintext)',
  })
}

function nameIn(mechanism: Mechanism | undefined): string {
  return mechanism?.parameters[parameter.interfaceName] ?? ''
}

function addressOf(url: string): string {
  return parseSocketAddress(url.replace(/^tcp:\/\//, '')).ip
}

function refusedMechanism(mechanism: Mechanism | undefined): NsmError {
  return new NsmError('failed_precondition', 'Cannot join the endpoint: it chose a mechanism that was not offered', {
    fields: { mechanism: nameOf(mechanism) },
  })
}

function nameOf(mechanism: Mechanism | undefined): string {
  return mechanism === undefined ? 'none' : `${mechanism.cls}/${mechanism.type}`
}
