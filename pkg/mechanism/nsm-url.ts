/**
 * The URLs of network services that a workload wants, in annotations of pods and in NSM_NETWORK_SERVICES:
 *
 *     kernel://my-service@other-domain/nsm-1?app=web&default-route=ipv4
 *     mechanism  service   domain      interface  labels, and what is asked for
 */
import type { Labels } from '../api/index.ts'
import { isDomainOrNodeName, isRegisteredName, NsmError, splitName } from '../base/index.ts'
import { checkInterfaceName } from '../net/index.ts'
import { KERNEL } from './kernel.ts'

export interface NsmUrl {
  /** In upper case, like the type of a mechanism. */
  readonly mechanismType: string
  /** With `@domain` if the URL contains one. */
  readonly service: string
  /** Empty to let the node choose. */
  readonly interfaceName: string
  readonly labels: Labels
  /** The prefixes that together are all traffic, of the families for which the URL asks for a default route. */
  readonly defaultRoutes: readonly string[]
}

/**
 * In halves, as VPNs do it: a pod can have one route to 0.0.0.0/0 only. The pod's own stays and takes over when the wire
 * is gone.
 */
const DEFAULT_ROUTES = {
  ipv4: ['0.0.0.0/1', '128.0.0.0/1'],
  ipv6: ['::/1', '8000::/1'],
} as const

const DEFAULT_ROUTE = 'default-route'

const FORM = /^(?<mechanism>[A-Za-z][A-Za-z0-9]*):\/\/(?<service>[^/?#]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/

/** @throws {NsmError} `invalid_argument` that says which part is invalid, and what is expected */
export function parseNsmUrl(text: string): NsmUrl {
  const { mechanism = '', service = '', path = '', query = '' } = FORM.exec(text.trim())?.groups ?? {}
  if (mechanism === '') throw malformed(text, 'it must look like kernel://service/interface')
  const mechanismType = mechanism.toUpperCase()
  if (mechanismType !== KERNEL) throw malformed(text, `the mechanism ${mechanism} is not supported, only kernel is`)
  if (!isService(service))
    throw malformed(text, 'the service must be a name of letters, digits, ".", "_" and "-", or name@domain')
  const interfaceName = path.split('/').at(-1) ?? ''
  if (interfaceName !== '') checkInterfaceName(interfaceName)
  const { [DEFAULT_ROUTE]: families, ...labels } = parseLabels(query)
  const defaultRoutes = families === undefined ? [] : parseFamilies(text, families)
  return { mechanismType, service, interfaceName, labels, defaultRoutes }
}

function isService(text: string): boolean {
  const { name, domain } = splitName(text)
  return isRegisteredName(name) && (domain === '' ? !text.includes('@') : isDomainOrNodeName(domain))
}

/** Parses a comma-separated list of URLs. A comma in a query belongs to the query unless another URL follows. */
export function parseNsmUrls(text: string): readonly NsmUrl[] {
  return text
    .split(/,(?=\s*[A-Za-z][A-Za-z0-9]*:\/\/)/)
    .filter((part) => part.trim() !== '')
    .map(parseNsmUrl)
}

/** The interface that two of the URLs name; undefined where each has its own. */
export function sharedInterface(urls: readonly NsmUrl[]): string | undefined {
  const names = urls.map(({ interfaceName }) => interfaceName).filter((name) => name !== '')
  return names.find((name, index) => names.indexOf(name) !== index)
}

/** The values of a repeated key are joined with commas into one label. */
function parseLabels(query: string): Labels {
  const labels = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(query)) {
    const before = labels.get(key)
    labels.set(key, before === undefined ? value : `${before},${value}`)
  }
  return Object.fromEntries(labels)
}

function parseFamilies(url: string, families: string): readonly string[] {
  return families.split(',').flatMap((family) => {
    if (family === 'ipv4' || family === 'ipv6') return DEFAULT_ROUTES[family]
    throw malformed(url, `${DEFAULT_ROUTE} must be ipv4, ipv6 or ipv4,ipv6`)
  })
}

function malformed(url: string, reason: string): NsmError {
  return new NsmError('invalid_argument', `Cannot parse the network service URL: ${reason}`, { fields: { url } })
}
