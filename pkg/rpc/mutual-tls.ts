import type { IdentitySource } from '../identity/index.ts'

/** How a server authenticates itself and its callers. */
export interface MutualTls {
  readonly identity: IdentitySource
  /** The gRPC paths of methods that callers without an identity may call. */
  readonly anonymousMethods?: ReadonlySet<string>
  /** The gRPC paths of methods that decide themselves about callers whose identity has expired. */
  readonly lateMethods?: ReadonlySet<string>
  readonly isRevoked?: (spiffeId: string) => boolean
  /** Whether to send the certificates of our authority, for callers that know only its fingerprint. */
  readonly sendAuthorities?: boolean
}
