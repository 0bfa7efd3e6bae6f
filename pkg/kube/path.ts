import type { KubeObject, Resource } from './objects.ts'

export interface Place {
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly subresource?: string | undefined
}

export type Query = Readonly<Record<string, string | number | undefined>>

/** `/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL/NAME/SUBRESOURCE?QUERY`; empty parameters are left out. */
export function resourcePath(resource: Resource<KubeObject>, place: Place, query: Query = {}): string {
  const { group, version, plural, isNamespaced } = resource
  const { namespace, name, subresource } = place
  const parts = [
    ...(group === '' ? ['api', version] : ['apis', group, version]),
    ...(isNamespaced && namespace !== undefined ? ['namespaces', namespace] : []),
    plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ]
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(key, String(value))
  }
  const text = parameters.toString()
  return `/${parts.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`
}
