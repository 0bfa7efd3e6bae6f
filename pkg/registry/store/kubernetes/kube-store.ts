/** The registry's records as objects of Kubernetes, in one namespace, which several registries share. */
import type { NetworkService } from '../../../api/index.ts'
import type { Clock, Logger } from '../../../base/index.ts'
import type { KubeClient } from '../../../kube/index.ts'
import { MIN_RECORD_BYTES } from '../../rules/limits.ts'
import { matchesEndpoint, matchesService } from '../../rules/matches.ts'
import { endpointCodec, serviceCodec } from '../record-codec.ts'
import { EndpointIndex, RecordIndex } from '../record-index.ts'
import type { RegistryStore } from '../registry-store.ts'
import { Usage } from '../usage.ts'
import { endpointObjects, endpointResource } from './endpoint-object.ts'
import { KubeEndpoints } from './kube-endpoints.ts'
import { KubeRecords } from './kube-records.ts'
import { serviceObjects, serviceResource } from './service-object.ts'
import { ServiceStatus } from './service-status.ts'

export interface KubeStoreOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly clock: Clock
  readonly logger: Logger
  /** Ends the waiting for the first copy. */
  readonly signal?: AbortSignal
}

export interface KubeStore extends RegistryStore {
  close(): Promise<void>
}

/** Resolves when the copy of all records is complete. */
export async function openKubeStore({ signal, ...options }: KubeStoreOptions): Promise<KubeStore> {
  const usage = new Usage(MIN_RECORD_BYTES)
  const [serviceIndex, endpointIndex] = [new RecordIndex<NetworkService>(), new EndpointIndex()]
  const countOf = (name: string) =>
    serviceIndex.get(name) === undefined ? undefined : endpointIndex.serving(name).length
  const status = new ServiceStatus({ ...options, countOf })
  const services = new KubeRecords({
    ...options,
    usage,
    resource: serviceResource,
    objects: serviceObjects,
    codec: serviceCodec,
    index: serviceIndex,
    matches: matchesService,
    onChange: ({ name }) => status.objectChanged(name),
  })
  const endpoints = new KubeEndpoints({
    ...options,
    usage,
    resource: endpointResource,
    objects: endpointObjects,
    codec: endpointCodec,
    index: endpointIndex,
    matches: matchesEndpoint,
    onChange: ({ networkServiceNames }) => status.endpointsChanged(networkServiceNames),
  })
  const close = async () => {
    await Promise.all([status.close(), services.close(), endpoints.close()])
  }
  try {
    await Promise.all([services.opened(signal), endpoints.opened(signal)])
  } catch (error) {
    await close()
    throw error
  }
  return { services, endpoints, bytesOf: async (node) => usage.of(node), close }
}
