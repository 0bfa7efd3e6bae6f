/** Who a process is: an X.509 SVID, and the bundles against which it judges others. */
import type { KeyObject } from 'node:crypto'

export interface Svid {
  /** `spiffe://<trust domain>/<path>` */
  readonly spiffeId: string
  /** DER certificates, leaf first. */
  readonly chain: readonly Uint8Array[]
  readonly privateKey: KeyObject
  readonly expiresMs: number
}

/** Trust domain name to the DER certificates of its authorities. */
export type Bundles = ReadonlyMap<string, readonly Uint8Array[]>

export interface Identity {
  readonly svid: Svid
  readonly bundles: Bundles
}

/** Where a process gets its identity from, kept fresh for as long as it is open. */
export interface IdentitySource {
  /** The newest identity. */
  current(): Identity
  /** Calls back after each change. Returns how to stop. */
  subscribe(listener: (identity: Identity) => void): () => void
  close(): Promise<void>
}
