/** A network service as an object of Kubernetes, in upstream's form: protobuf's JSON with the names of the proto file. */
import { type Labels, type Match, type NetworkService, PAYLOAD_IP } from '../../../api/index.ts'
import type { KubeObject, Resource } from '../../../kube/index.ts'
import { nameOf, type ObjectCodec } from './object-codec.ts'

export interface ServiceObject extends KubeObject {
  readonly spec?: {
    readonly name?: string
    readonly payload?: string
    readonly matches?: readonly MatchSpec[]
    readonly path_ids?: readonly string[]
  }
  readonly status?: { readonly endpoints?: number }
}

interface MatchSpec {
  readonly source_selector?: Labels
  readonly routes?: readonly { readonly destination_selector?: Labels; readonly weight?: number }[]
  readonly fallthrough?: boolean
  readonly metadata?: { readonly labels?: Labels }
}

export const serviceResource: Resource<ServiceObject> = {
  group: 'networkservicemesh.io',
  version: 'v1',
  kind: 'NetworkService',
  plural: 'networkservices',
  isNamespaced: true,
}

export const serviceObjects: ObjectCodec<NetworkService, ServiceObject> = {
  toObject: ({ name, payload, matches, pathIds }, metadata) => ({
    metadata,
    spec: { name, payload, matches: matches.map(toMatchSpec), path_ids: pathIds },
  }),
  fromObject: ({ metadata, spec = {} }) => ({
    name: nameOf(metadata, spec.name),
    payload: spec.payload === undefined || spec.payload === '' ? PAYLOAD_IP : spec.payload,
    matches: (spec.matches ?? []).map(fromMatchSpec),
    pathIds: spec.path_ids ?? [],
  }),
}

function toMatchSpec({ sourceSelector, routes, fallthrough, metadata }: Match): MatchSpec {
  return {
    source_selector: sourceSelector,
    routes: routes.map(({ destinationSelector, weight }) => ({ destination_selector: destinationSelector, weight })),
    fallthrough,
    ...(metadata === undefined ? {} : { metadata }),
  }
}

function fromMatchSpec({ source_selector = {}, routes = [], fallthrough = false, metadata }: MatchSpec): Match {
  return {
    sourceSelector: source_selector,
    routes: routes.map(({ destination_selector = {}, weight = 0 }) => ({
      destinationSelector: destination_selector,
      weight,
    })),
    fallthrough,
    metadata: metadata === undefined ? undefined : { labels: metadata.labels ?? {} },
  }
}
