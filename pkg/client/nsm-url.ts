/**
 * The URLs in which people name what a workload wants, in the pod's annotation and in NSM_NETWORK_SERVICES:
 *
 *     kernel://my-service@other-domain/nsm-1?app=web
 *     mechanism  service   domain      interface  labels
 */
import { KERNEL, type Labels } from '../api/index.ts'
import { isDomainOrNodeName, isRegisteredName, NsmError, splitName } from '../base/index.ts'
import { checkInterfaceName } from '../net/index.ts'

export interface NsmUrl {
  /** Upper case, as mechanisms name their type. */
  readonly mechanismType: string
  /** With `@domain` where one was given. */
  readonly service: string
  /** Empty: the node chooses. */
  readonly interfaceName: string
  readonly labels: Labels
}

const FORM = /^(?<mechanism>[A-Za-z][A-Za-z0-9]*):\/\/(?<service>[^/?#]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/

/** @throws {NsmError} `invalid_argument` that says which part is wrong, and what it must look like. */
export function parseNsmUrl(text: string): NsmUrl {
  const { mechanism = '', service = '', path = '', query = '' } = FORM.exec(text.trim())?.groups ?? {}
  if (mechanism === '') throw malformed(text, 'it must look like kernel://service/interface')
  const mechanismType = mechanism.toUpperCase()
  if (mechanismType !== KERNEL) throw malformed(text, `the mechanism ${mechanism} is not known; kernel is`)
  if (!isService(service))
    throw malformed(text, 'the service must be a name of letters, digits, ".", "_" and "-", or name@domain')
  const interfaceName = path.split('/').at(-1) ?? ''
  if (interfaceName !== '') checkInterfaceName(interfaceName)
  return { mechanismType, service, interfaceName, labels: parseLabels(query) }
}

function isService(text: string): boolean {
  const { name, domain } = splitName(text)
  return isRegisteredName(name) && (domain === '' ? !text.includes('@') : isDomainOrNodeName(domain))
}

/** A comma-separated list of URLs. A comma within a query belongs to its value unless a new URL follows. */
export function parseNsmUrls(text: string): readonly NsmUrl[] {
  return text
    .split(/,(?=\s*[A-Za-z][A-Za-z0-9]*:\/\/)/)
    .filter((part) => part.trim() !== '')
    .map(parseNsmUrl)
}

/**
 * What a workload wants: at least one URL, and no interface twice.
 * @throws {NsmError} `invalid_argument` that says what to change
 */
export function parseNetworkServices(text: string): readonly NsmUrl[] {
  const urls = parseNsmUrls(text)
  if (urls.length === 0) throw new NsmError('invalid_argument', 'Cannot start: NSM_NETWORK_SERVICES names no service')
  const names = urls.map(({ interfaceName }) => interfaceName).filter((name) => name !== '')
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice === undefined) return urls
  throw new NsmError('invalid_argument', 'Cannot start: two network services want the same interface', {
    fields: { interface: twice },
    next: 'give each URL in NSM_NETWORK_SERVICES an interface of its own',
  })
}

/** Repeated keys are one label whose values are joined by commas. */
function parseLabels(query: string): Labels {
  const labels = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(query)) {
    const before = labels.get(key)
    labels.set(key, before === undefined ? value : `${before},${value}`)
  }
  return Object.fromEntries(labels)
}

function malformed(url: string, why: string): NsmError {
  return new NsmError('invalid_argument', `Cannot read the network service URL: ${why}`, { fields: { url } })
}
