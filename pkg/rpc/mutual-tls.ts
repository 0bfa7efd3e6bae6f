import type { IdentitySource } from '../identity/index.ts'

/** How a server proves who it is, and whom it lets in. */
export interface MutualTls {
  readonly identity: IdentitySource
  /** gRPC paths that a caller without an identity may call. */
  readonly anonymousMethods?: ReadonlySet<string>
  readonly isRevoked?: (spiffeId: string) => boolean
  /** For callers that know our authority only by its fingerprint. */
  readonly sendAuthorities?: boolean
}
