/**
 * What a node must have for one connection, decided and durable before the first effect. The request chain makes it,
 * forwarding turns it into links, addresses, routes, ports and wires. Plain JSON: it lives in the store.
 */
import type { PolicyRoute } from './connection-context.ts'

/** An interface in a workload's network namespace on this node. */
export interface LocalEnd {
  readonly kind: 'local'
  /** `inode://<dev>/<ino>` */
  readonly namespace: string
  readonly interfaceName: string
  /** CIDRs that this side has. */
  readonly addresses: readonly string[]
  readonly routes: readonly { readonly prefix: string; readonly via: string | undefined }[]
  readonly policies: readonly PolicyRoute[]
}

/** The other node, reached by the WireGuard protocol. Keys are base64 of 32 bytes. */
export interface WireguardEnd {
  readonly kind: 'wireguard'
  /** With it this wire initiates. */
  readonly privateKey: string
  readonly peerResponderKey: string
  readonly peerInitiatorKey: string
  readonly peer: { readonly ip: string; readonly port: number }
  readonly aead: 'chacha20poly1305' | 'aes256gcm'
  readonly roaming: boolean
  readonly keepaliveSeconds: number
  /** Whether both nodes watch the path between them by messages inside the tunnel. */
  readonly pathMessages: boolean
}

/** The other node, reached in plaintext by VXLAN. */
export interface VxlanEnd {
  readonly kind: 'vxlan'
  readonly vni: number
  readonly peer: { readonly ip: string; readonly port: number }
}

export type RemoteEnd = WireguardEnd | VxlanEnd
export type IntentEnd = LocalEnd | RemoteEnd

export interface WireIntent {
  /** This node's id of the connection. */
  readonly id: string
  readonly payload: 'IP' | 'ETHERNET'
  readonly mtuBytes: number
  readonly client: IntentEnd
  readonly server: IntentEnd
  /** CIDRs that packets of the client and of the endpoint may carry: addresses and what is routed behind them. */
  readonly clientPrefixes: readonly string[]
  readonly serverPrefixes: readonly string[]
}
