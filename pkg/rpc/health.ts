import { healthV1 } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { implement, type Service } from './implement.ts'

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = healthV1.HealthCheckResponse_ServingStatus

/** Which services are ready; the empty name stands for the whole server. */
export class Health {
  readonly #isServing = new Map<string, boolean>()
  readonly #wakers = new Set<() => void>()

  /** Of a server that serves all `services` from its start. */
  static serving(services: readonly Service[]): Health {
    const health = new Health()
    for (const name of ['', ...services.map((service) => service.name)]) health.set(name, true)
    return health
  }

  set(service: string, isServing: boolean): void {
    this.#isServing.set(service, isServing)
    for (const wake of this.#wakers) wake()
  }

  /** The gRPC health service over these. */
  service(): Service {
    return implement(healthV1.HealthService, {
      check: async ({ service }) => {
        const status = this.#status(service)
        if (status !== SERVICE_UNKNOWN) return { status }
        throw new NsmError('not_found', 'Cannot check health: no such service', { fields: { service } })
      },
      watch: ({ service }, { signal }) => this.#watch(service, signal),
    })
  }

  async *#watch(service: string, signal: AbortSignal): AsyncGenerator<healthV1.HealthCheckResponse> {
    let told: number | undefined
    while (!signal.aborted) {
      const status = this.#status(service)
      if (status !== told) yield { status }
      told = status
      if (this.#status(service) === told) await this.#change(signal)
    }
  }

  #status(service: string): healthV1.HealthCheckResponse_ServingStatus {
    const isServing = this.#isServing.get(service)
    if (isServing === undefined) return SERVICE_UNKNOWN
    return isServing ? SERVING : NOT_SERVING
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wakers.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#wakers.add(wake)
      signal.addEventListener('abort', wake, { once: true })
    })
  }
}
