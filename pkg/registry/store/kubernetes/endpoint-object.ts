/** An endpoint as an object of Kubernetes, in upstream's form. */
import type { Labels, NetworkServiceEndpoint } from '../../../api/index.ts'
import type { KubeObject, Resource } from '../../../kube/index.ts'
import { nameOf, type ObjectCodec } from './object-codec.ts'

export interface EndpointObject extends KubeObject {
  readonly spec?: {
    readonly name?: string
    readonly network_service_names?: readonly string[]
    readonly network_service_labels?: Readonly<Record<string, { readonly labels?: Labels }>>
    readonly url?: string
    readonly expiration_time?: Timestamp
    readonly initial_registration_time?: Timestamp
    readonly path_ids?: readonly string[]
  }
}

/** As Go writes a google.protobuf.Timestamp: since 1970. */
interface Timestamp {
  readonly seconds?: number
  readonly nanos?: number
}

export const endpointResource: Resource<EndpointObject> = {
  group: 'networkservicemesh.io',
  version: 'v1',
  kind: 'NetworkServiceEndpoint',
  plural: 'networkserviceendpoints',
  isNamespaced: true,
}

export const endpointObjects: ObjectCodec<NetworkServiceEndpoint, EndpointObject> = {
  toObject: (endpoint, metadata) => ({
    metadata,
    spec: {
      name: endpoint.name,
      network_service_names: endpoint.networkServiceNames,
      network_service_labels: Object.fromEntries(
        [...endpoint.networkServiceLabels].map(([service, labels]) => [service, { labels }]),
      ),
      url: endpoint.url,
      ...(endpoint.expiresMs === undefined ? {} : { expiration_time: toTimestamp(endpoint.expiresMs) }),
      ...(endpoint.registeredMs === undefined ? {} : { initial_registration_time: toTimestamp(endpoint.registeredMs) }),
      path_ids: endpoint.pathIds,
    },
  }),
  fromObject: ({ metadata, spec = {} }) => ({
    name: nameOf(metadata, spec.name),
    networkServiceNames: spec.network_service_names ?? [],
    networkServiceLabels: new Map(
      Object.entries(spec.network_service_labels ?? {}).map(([service, { labels = {} }]) => [service, labels]),
    ),
    url: spec.url ?? '',
    expiresMs: fromTimestamp(spec.expiration_time),
    registeredMs: fromTimestamp(spec.initial_registration_time),
    pathIds: spec.path_ids ?? [],
  }),
}

function toTimestamp(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1_000)
  return { seconds, nanos: Math.round(ms - seconds * 1_000) * 1_000_000 }
}

function fromTimestamp(time: Timestamp | undefined): number | undefined {
  if (time === undefined) return undefined
  return (time.seconds ?? 0) * 1_000 + Math.floor((time.nanos ?? 0) / 1_000_000)
}
