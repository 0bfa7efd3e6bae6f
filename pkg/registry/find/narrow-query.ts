/**
 * A caller that sees only some services is answered from the records of those: what its question costs must not grow
 * with all that the domain keeps from it.
 */
import type { NetworkService, NetworkServiceEndpoint } from '../../api/index.ts'
import type { CallerView } from './caller-view.ts'

export function narrowServiceQuery(
  query: Partial<NetworkService>,
  view: CallerView,
): readonly Partial<NetworkService>[] {
  const visible = view.services()
  if (visible === undefined) return [query]
  const { name = '' } = query
  if (name !== '') return visible.has(name) ? [query] : []
  return [...visible].map((each) => ({ ...query, name: each }))
}

export function narrowEndpointQuery(
  query: Partial<NetworkServiceEndpoint>,
  view: CallerView,
): readonly Partial<NetworkServiceEndpoint>[] {
  const visible = view.services()
  if (visible === undefined) return [query]
  const { name = '', networkServiceNames = [] } = query
  if (!networkServiceNames.every((each) => visible.has(each))) return []
  if (name !== '' || networkServiceNames.length > 0) return [query]
  return [...visible].map((each) => ({ ...query, networkServiceNames: [each] }))
}
