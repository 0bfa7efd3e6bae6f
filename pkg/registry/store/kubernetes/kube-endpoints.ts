import type { NetworkServiceEndpoint } from '../../../api/index.ts'
import { NsmError } from '../../../base/index.ts'
import type { EndpointIndex } from '../record-index.ts'
import type { EndpointRecords } from '../registry-store.ts'
import type { EndpointObject } from './endpoint-object.ts'
import { KubeRecords, type KubeRecordsOptions, type Stored } from './kube-records.ts'

/** Writes that are under way at once: the API server counts those of each client. */
const MAX_WRITES = 8
/** A watch may be opened anew meanwhile. */
const MAX_AWAY_MS = 2_000

export interface KubeEndpointsOptions extends KubeRecordsOptions<NetworkServiceEndpoint, EndpointObject> {
  readonly index: EndpointIndex
}

/**
 * Endpoints: unlike services, they can be found by the services that they serve, and they expire. An endpoint may be renewed
 * at any registry, so what the copy says of its end is only a reason to ask: it is removed if the API server has it as the
 * copy does, and else somebody has renewed it.
 */
export class KubeEndpoints extends KubeRecords<NetworkServiceEndpoint, EndpointObject> implements EndpointRecords {
  readonly #index: EndpointIndex

  constructor(options: KubeEndpointsOptions) {
    super(options)
    this.#index = options.index
  }

  async ownersServing(service: string): Promise<readonly string[]> {
    return [...new Set(this.#index.serving(service).map(({ pathIds: [owner = ''] }) => owner))].sort()
  }

  /** @throws {NsmError} `unavailable` also while the API server is away: nobody could renew then */
  async removeExpired(nowMs: number): Promise<number | undefined> {
    const { awayMs } = this.informer
    if (awayMs > MAX_AWAY_MS) {
      throw new NsmError('unavailable', 'Cannot remove expired endpoints: the API server is away', {
        fields: { awayMs },
      })
    }
    await this.#each(this.#expiringUntil(nowMs), async ({ value, metadata: { uid = '', resourceVersion } }) => {
      await this.removeIf(value.name, { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) })
    })
    const times = [...this.#index.values()].flatMap(({ expiresMs }) => expiresMs ?? [])
    return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b))
  }

  async extend(untilMs: number): Promise<void> {
    const expiring = this.#expiringUntil(untilMs - 1)
    if (this.#isAway) {
      for (const { value } of expiring) this.show({ ...value, expiresMs: untilMs })
      return
    }
    await this.#each(expiring, async (stored) => {
      const written = await this.replace(stored, { ...stored.value, expiresMs: untilMs })
      if (written !== undefined) await this.seenWritten(written)
    })
  }

  get #isAway(): boolean {
    return this.informer.awayMs > MAX_AWAY_MS
  }

  #expiringUntil(ms: number): readonly Stored<NetworkServiceEndpoint>[] {
    const expiring = [...this.#index.values()].filter(({ expiresMs }) => expiresMs !== undefined && expiresMs <= ms)
    return expiring.flatMap(({ name }) => this.stored(name) ?? [])
  }

  async #each<V>(values: readonly V[], change: (value: V) => Promise<void>): Promise<void> {
    const left = values.values()
    const worker = async () => {
      for (const value of left) await change(value)
    }
    await Promise.all(Array.from({ length: MAX_WRITES }, worker))
  }
}
