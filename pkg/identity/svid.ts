/** The identity of a process: its X.509 SVID, and the trust bundles with which it verifies others. */
import { type KeyObject, X509Certificate } from 'node:crypto'

export interface Svid {
  /** `spiffe://<trust domain>/<path>` */
  readonly spiffeId: string
  /** DER certificates, leaf first. */
  readonly chain: readonly Uint8Array[]
  readonly privateKey: KeyObject
  readonly expiresMs: number
}

/** The DER certificates of the authorities of each trust domain, by its name. */
export type Bundles = ReadonlyMap<string, readonly Uint8Array[]>

export interface Identity {
  readonly svid: Svid
  readonly bundles: Bundles
}

/** Provides the identity of a process and keeps it up to date until it is closed. */
export interface IdentitySource {
  /** The newest identity. */
  current(): Identity
  /** Calls `listener` after each change. The returned function ends the subscription. */
  subscribe(listener: (identity: Identity) => void): () => void
  close(): Promise<void>
}

/** From the beginning of its certificate to its expiry. */
export function lifeMsOf({ chain: [leaf], expiresMs }: Svid): number {
  return leaf === undefined ? 0 : expiresMs - new X509Certificate(leaf).validFromDate.getTime()
}
