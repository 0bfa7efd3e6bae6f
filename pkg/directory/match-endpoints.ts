/** Which endpoints serve a client, by the service's matches and labels, as NSM v1 decides it. Pure. */
import type { Labels, Match, NetworkService, NetworkServiceEndpoint } from '../api/index.ts'

/**
 * The endpoints of `service` for a client with `labels`: all of them where the service has no matches. Otherwise the
 * first match decides whose source selector holds; where it finds none and has `fallthrough`, the next one does.
 */
export function matchEndpoints(
  service: NetworkService,
  endpoints: readonly NetworkServiceEndpoint[],
  labels: Labels,
): readonly NetworkServiceEndpoint[] {
  if (service.matches.length === 0) return endpoints
  for (const match of service.matches) {
    if (!isSubset(labels, match.sourceSelector, labels)) continue
    const candidates = candidatesOf(match, { service: service.name, endpoints, labels })
    if (candidates.length > 0 || !match.fallthrough) return candidates
  }
  return []
}

interface Choice {
  readonly service: string
  readonly endpoints: readonly NetworkServiceEndpoint[]
  readonly labels: Labels
}

function candidatesOf(match: Match, { service, endpoints, labels }: Choice): readonly NetworkServiceEndpoint[] {
  if (match.routes.length === 0) return match.metadata === undefined ? [] : endpoints
  const found = match.routes.flatMap(({ destinationSelector }) =>
    endpoints.filter((endpoint) =>
      isSubset(endpoint.networkServiceLabels.get(service) ?? {}, destinationSelector, labels),
    ),
  )
  return [...new Set(found)]
}

/** Whether `labels` have all labels of `selector`, as written or with `{{ .name }}` filled in from `values`. */
function isSubset(labels: Labels, selector: Labels, values: Labels): boolean {
  return Object.entries(selector).every(([key, wanted]) => {
    const actual = Object.hasOwn(labels, key) ? labels[key] : undefined
    return actual === wanted || (actual !== undefined && actual === fillIn(wanted, values))
  })
}

const VALUE = /\{\{\s*(?:\.([A-Za-z_]\w*)|index \. "([^"]*)")\s*\}\}/g

/** Upstream's templates: `{{.nodeName}}` and `{{ index . "x" }}`. A name without a value stays as it is written. */
function fillIn(template: string, values: Labels): string {
  return template.replace(VALUE, (whole, name?: string, quoted?: string) => {
    const key = name ?? quoted ?? ''
    return Object.hasOwn(values, key) ? (values[key] ?? whole) : whole
  })
}
