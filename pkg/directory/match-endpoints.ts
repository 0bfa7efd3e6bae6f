/** Which endpoints serve a client, by the service's matches and labels, as NSM v1 decides it. Pure. */
import type { Labels, Match, NetworkService, NetworkServiceEndpoint } from '../api/index.ts'

/**
 * The endpoints of `service` that a client with `labels` may be joined to. No matches: all. Else the first match whose
 * source selector holds decides; one that finds nothing and falls through leaves it to the next.
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

/** Whether `labels` have all that `selector` asks for, literally or after filling in `{{ .name }}` from `values`. */
function isSubset(labels: Labels, selector: Labels, values: Labels): boolean {
  return Object.entries(selector).every(([key, wanted]) => {
    const actual = Object.hasOwn(labels, key) ? labels[key] : undefined
    return actual === wanted || (actual !== undefined && actual === fillIn(wanted, values))
  })
}

const VALUE = /\{\{\s*(?:\.([A-Za-z_]\w*)|index \. "([^"]*)")\s*\}\}/g

/** Templates as upstream's users write them: `{{.nodeName}}` and `{{ index . "x" }}`. A name without a value stays. */
function fillIn(template: string, values: Labels): string {
  return template.replace(VALUE, (whole, name?: string, quoted?: string) => {
    const key = name ?? quoted ?? ''
    return Object.hasOwn(values, key) ? (values[key] ?? whole) : whole
  })
}
