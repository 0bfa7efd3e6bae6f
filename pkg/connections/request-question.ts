/** What the policy is asked about a wire: when it is requested, and for as long as it stands. */
import { type Labels, trustDomainOf } from '../api/index.ts'
import { type ExportConditions, type Exports, isAdmitted, mayRequest, type Question } from '../policy/index.ts'
import type { ConnectionRecord } from './connection-table.ts'

/** Where a node stands: its domain, and what the domain exports at this moment. */
export interface Standpoint {
  readonly domain: string
  readonly exports: Exports
  /** For whom exports are that are not for everybody in the other domain. */
  readonly exportConditions: ExportConditions
}

export type Wanted = Pick<ConnectionRecord, 'owner' | 'identities' | 'connection' | 'target'>

/** @param wanted a connection as it stands, or as it will */
export function requestQuestion(wanted: Wanted, { domain, exports, exportConditions }: Standpoint): Question {
  const { owner: caller, connection } = wanted
  const { networkService: service } = connection
  const isExported = mayRequest({ callerDomain: trustDomainOf(caller), ownDomain: domain, service, exports })
  const question = { ...aboutWire(wanted), action: 'request', isAllowedByDefault: isExported } as const
  return { ...question, isAllowedByDefault: isExported && isAdmitted(exportConditions, question, domain) }
}

/** Whether the wire may have a prefix that no wire has by default. @param prefix without host bits */
export function routeQuestion(wanted: Wanted, prefix: string): Question {
  return { ...aboutWire(wanted), action: 'route', prefix, isAllowedByDefault: false }
}

function aboutWire({ owner: caller, identities, connection, target }: Wanted) {
  const { networkService: service, labels, payload, mechanism } = connection
  const type = mechanism?.type ?? ''
  return { caller, client: identities[0], service, endpoint: target.endpoint, labels, payload, mechanism: type }
}

/** An endpoint of this node, as it registered. */
export interface Served {
  readonly endpoint?: { readonly networkServiceLabels: ReadonlyMap<string, Labels> }
}

/** Whether the owner of the endpoint may serve it; undefined where the endpoint is at another node. */
export function serveQuestion(
  { connection, target }: Pick<Wanted, 'connection' | 'target'>,
  served: Served | undefined,
): Question | undefined {
  if (target.at !== 'endpoint') return undefined
  const { networkService: service } = connection
  const labels = served?.endpoint?.networkServiceLabels.get(service) ?? {}
  return { action: 'serve', caller: target.owner, service, endpoint: target.endpoint, labels, isAllowedByDefault: true }
}
