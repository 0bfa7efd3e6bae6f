import { authorityV1, domainV1 } from '../../api/index.ts'

/** What nodes and domains call to join, with a token, or to renew late, with an identity that has expired. */
export const JOINING_METHODS: ReadonlySet<string> = new Set([
  authorityV1.AuthorityService.joinNode.path,
  authorityV1.AuthorityService.renew.path,
  domainV1.FederationService.accept.path,
])
