import { authorityV1, domainV1 } from '../../api/index.ts'

/** What nodes and domains call to join: with a token, and without an identity. */
export const JOINING_METHODS: ReadonlySet<string> = new Set([
  authorityV1.AuthorityService.joinNode.path,
  domainV1.FederationService.accept.path,
])

/** What nodes call also with an identity that has expired. */
export const LATE_METHODS: ReadonlySet<string> = new Set([authorityV1.AuthorityService.renew.path])
