/**
 * Presents the sessions of a node as one WireGuard device, with one peer per encrypted wire. Differences from a device
 * of the kernel:
 *
 *   - Every wire initiates with a key of its own, so the device has no key to show. A peer is identified by the key
 *     with which it initiates, which is unique per wire. Several peers may be wires to the same node.
 *   - Allowed IPs are checked per wire and do not select a peer: two peers may have the same ones, and a wire that
 *     carries Ethernet frames has none.
 *   - Byte counters include transport messages only, not handshakes.
 */
import { keyBytes, type PortStatus, type WireguardPortStatus } from '../mechanism/index.ts'
import { formatSocketAddress } from '../net/index.ts'

export interface DeviceFacts {
  readonly listenPort: number
  /** The ports of all kinds, by id. */
  readonly ports: ReadonlyMap<string, PortStatus>
  readonly counters: ReadonlyMap<string, ReadonlyMap<string, bigint>>
  readonly nowMs: number
}

/** The lines of the answer to `get=1`. They never contain a private or preshared key, because the input has none. */
export function listDevice({ listenPort, ports, counters, nowMs }: DeviceFacts): readonly string[] {
  const peers = [...ports.values()].flatMap((port) =>
    port.kind === 'wireguard' ? listPeer(port, counters.get(port.id), nowMs) : [],
  )
  return [`listen_port=${listenPort}`, ...peers]
}

function listPeer(
  port: WireguardPortStatus,
  counters: ReadonlyMap<string, bigint> | undefined,
  nowMs: number,
): string[] {
  const { peer, handshakeAgeMs } = port
  const handshakeMs = handshakeAgeMs === undefined ? 0 : Math.max(0, Math.round(nowMs - handshakeAgeMs))
  return [
    `public_key=${Buffer.from(keyBytes(port.peerInitiatorKey)).toString('hex')}`,
    'protocol_version=1',
    ...(peer.port === 0 ? [] : [`endpoint=${formatSocketAddress(peer)}`]), // not known yet
    `last_handshake_time_sec=${Math.floor(handshakeMs / 1000)}`,
    `last_handshake_time_nsec=${(handshakeMs % 1000) * 1_000_000}`,
    `tx_bytes=${counters?.get('tx_bytes') ?? 0}`,
    `rx_bytes=${counters?.get('rx_bytes') ?? 0}`,
    `persistent_keepalive_interval=${port.keepaliveSeconds}`,
    // An address and the route to it are one prefix.
    ...[...new Set(port.remotePrefixes)].map((prefix) => `allowed_ip=${prefix}`),
  ]
}
