/**
 * A node's sessions as one WireGuard device: a peer for each encrypted wire. What differs from a kernel's device:
 *
 *   - Every wire initiates with a key of its own, so the device has no key to show. A peer is known by the key with
 *     which it initiates, which no two wires share; several of them may be wires to the same node.
 *   - Allowed IPs are checked wire by wire and do not route between peers: two of them may have the same ones, and a
 *     wire of Ethernet frames has none.
 *   - Bytes are those of transport messages, without handshakes.
 */
import type { PortStatus } from '../dataplane/index.ts'
import { formatSocketAddress } from '../net/index.ts'

export interface DeviceFacts {
  readonly listenPort: number
  /** Of all kinds, by id. */
  readonly ports: ReadonlyMap<string, PortStatus>
  readonly counters: ReadonlyMap<string, ReadonlyMap<string, bigint>>
  readonly nowMs: number
}

/** Lines of the answer to `get=1`. Never a private or a preshared key: what is passed in has none. */
export function listDevice({ listenPort, ports, counters, nowMs }: DeviceFacts): readonly string[] {
  const peers = [...ports.values()].flatMap((port) =>
    port.kind === 'wireguard' ? listPeer(port, counters.get(port.id), nowMs) : [],
  )
  return [`listen_port=${listenPort}`, ...peers]
}

type WireguardPort = Extract<PortStatus, { kind: 'wireguard' }>

function listPeer(port: WireguardPort, counters: ReadonlyMap<string, bigint> | undefined, nowMs: number): string[] {
  const { peerEndpoint, handshakeAgeMs } = port
  const handshakeMs = handshakeAgeMs === undefined ? 0 : Math.max(0, Math.round(nowMs - handshakeAgeMs))
  return [
    `public_key=${Buffer.from(port.peerInitiatorKey).toString('hex')}`,
    'protocol_version=1',
    ...(peerEndpoint.port === 0 ? [] : [`endpoint=${formatSocketAddress(peerEndpoint)}`]), // not known yet
    `last_handshake_time_sec=${Math.floor(handshakeMs / 1000)}`,
    `last_handshake_time_nsec=${(handshakeMs % 1000) * 1_000_000}`,
    `tx_bytes=${counters?.get('tx_bytes') ?? 0}`,
    `rx_bytes=${counters?.get('rx_bytes') ?? 0}`,
    `persistent_keepalive_interval=${port.keepaliveSeconds}`,
    // An address and the route to it are one prefix.
    ...[...new Set(port.remotePrefixes)].map((prefix) => `allowed_ip=${prefix}`),
  ]
}
