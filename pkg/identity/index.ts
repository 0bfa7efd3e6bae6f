/**
 * Identities: SPIFFE IDs, X.509 SVIDs, the certificate authority that issues them, the path tokens that they sign, and
 * the verification of all of these. Keys are used only to sign, and stored only in files with mode 0600.
 */
export {
  Authority,
  type AuthorityMaterial,
  createAuthorityMaterial,
  type IssuedSvid,
  type IssueOptions,
} from './authority.ts'
export { type OpenedAuthority, openAuthority } from './authority-file.ts'
export { readBundle } from './bundle.ts'
export { splitCertificates } from './certificate.ts'
export { checkAuthority } from './check-authority.ts'
export { createKeyAndCsr, csrOf, type KeyAndCsr } from './csr.ts'
export { isHostName } from './host-name.ts'
export { identityFile } from './identity-file.ts'
export { type IssueIdentityOptions, issueIdentity } from './issue-identity.ts'
export { type JoinedDomains, joinedDomainsSource } from './joined-domains-source.ts'
export { keyProof, provenKey } from './key-proof.ts'
export { type LocalSecret, openLocalSecret } from './local-secret.ts'
export { type PathTokenCheck, UNSIGNED_PATHS, type UnsignedPath, verifyPathTokens } from './path-tokens.ts'
export { certificateOfPem, certificatePem } from './pem.ts'
export { type RenewingOptions, type RenewingSource, renewingSource } from './renewing-source.ts'
export {
  type KeptSecret,
  readSecretFile,
  removeSecretFile,
  type SecretPlace,
  secretFile,
  writeSecretFile,
} from './secret-file.ts'
export { type StaticSource, staticSource } from './static-source.ts'
export { type Bundles, type Identity, type IdentitySource, lifeMsOf, type Svid } from './svid.ts'
export { type PathToken, parseToken, type TokenRequest } from './token.ts'
export { TokenMinter } from './token-minter.ts'
export { type VerifiedSvid, verifyExpiredSvid, verifySvid } from './verify-svid.ts'
