/** Limits of one registration and of one owner, so that no owner fills the registry for everybody else. */
import type { Labels, NetworkService, NetworkServiceEndpoint } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import { endpointCodec, serviceCodec } from '../store/record-codec.ts'
import { checkName } from './names.ts'

export const MAX_ENDPOINTS_PER_OWNER = 1_000
export const MAX_SERVICES_PER_OWNER = 1_000

/** Of one record, as the store keeps it. */
export const MAX_RECORD_BYTES = 64 * 1024
/** Of all records of a node and its workloads. */
export const MAX_BYTES_PER_NODE = 4 * 2 ** 20
/** What a record counts at least: small ones cost more than their text. */
export const MIN_RECORD_BYTES = 1024

const MAX_LABELS = 64
const LONGEST_LABEL = 256
const MAX_SERVICES_PER_ENDPOINT = 64
const MAX_MATCHES = 64
const MAX_ROUTES = 64
const LONGEST_URL = 2_048

/** @throws {NsmError} `invalid_argument` with the field and its limit; `unimplemented` for names of other domains. */
export function checkEndpoint(endpoint: NetworkServiceEndpoint): void {
  checkOwnName('name', endpoint.name)
  checkCount('network_service_names', endpoint.networkServiceNames.length, MAX_SERVICES_PER_ENDPOINT)
  for (const service of endpoint.networkServiceNames) checkOwnName('network_service_names', service)
  checkCount('network_service_labels', endpoint.networkServiceLabels.size, MAX_SERVICES_PER_ENDPOINT)
  for (const labels of endpoint.networkServiceLabels.values()) checkLabels('network_service_labels', labels)
  if (endpoint.url !== '' && (endpoint.url.length > LONGEST_URL || !URL.canParse(endpoint.url))) {
    throw new NsmError('invalid_argument', 'Cannot register the endpoint: its URL is malformed', {
      fields: { url: endpoint.url.slice(0, 64), length: endpoint.url.length },
      next: 'give a URL such as tcp://192.0.2.1:5001 or unix:///run/endpoint.sock',
    })
  }
  checkSize(endpointCodec.encode(endpoint))
}

/** @throws {NsmError} like {@link checkEndpoint}. */
export function checkService(service: NetworkService): void {
  checkOwnName('name', service.name)
  if (!['', 'IP', 'ETHERNET'].includes(service.payload)) {
    throw new NsmError('invalid_argument', 'Cannot register the network service: its payload is unknown', {
      fields: { payload: service.payload.slice(0, 64) },
      next: 'use IP or ETHERNET',
    })
  }
  checkCount('matches', service.matches.length, MAX_MATCHES)
  for (const match of service.matches) {
    checkLabels('matches.source_selector', match.sourceSelector)
    checkLabels('matches.metadata.labels', match.metadata?.labels ?? {})
    checkCount('matches.routes', match.routes.length, MAX_ROUTES)
    for (const route of match.routes) checkLabels('matches.routes.destination_selector', route.destinationSelector)
  }
  checkSize(serviceCodec.encode(service))
}

/**
 * Owners do not limit a node, which names them.
 * @param before the record that `after` replaces, as the store keeps it; empty where there is none.
 * @throws {NsmError} `resource_exhausted` when the records of the node take too much.
 */
export function checkNodeQuota(
  node: string,
  usedBytes: number,
  { before, after }: { readonly before: string; readonly after: string },
): void {
  const moreBytes = countedBytes(after) - (before === '' ? 0 : countedBytes(before))
  if (moreBytes <= 0 || usedBytes + moreBytes <= MAX_BYTES_PER_NODE) return
  throw new NsmError('resource_exhausted', 'Cannot register: the registrations of the node take too much', {
    fields: { node, usedBytes, most: MAX_BYTES_PER_NODE },
    next: 'unregister what no longer serves, or register fewer labels',
  })
}

function countedBytes(encoded: string): number {
  return Math.max(MIN_RECORD_BYTES, Buffer.byteLength(encoded))
}

function checkSize(encoded: string): void {
  checkCount('record (bytes)', Buffer.byteLength(encoded), MAX_RECORD_BYTES)
}

function checkOwnName(field: string, name: string): void {
  if (name.includes('@')) {
    throw new NsmError('unimplemented', 'Cannot register the record: its name is of another domain', {
      fields: { field, name: name.slice(0, 64) },
      next: 'register without "@domain", and export the service: nsmctl domain export <service> <domain>',
    })
  }
  checkName(field, name)
}

function checkLabels(field: string, labels: Labels): void {
  const entries = Object.entries(labels)
  checkCount(field, entries.length, MAX_LABELS)
  for (const text of entries.flat()) checkCount(`${field} (characters of a key or value)`, text.length, LONGEST_LABEL)
}

function checkCount(field: string, count: number, most: number): void {
  if (count <= most) return
  throw new NsmError('invalid_argument', 'Cannot register the record: a field exceeds its limit', {
    fields: { field, count, most },
  })
}
