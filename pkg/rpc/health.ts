import { healthV1 } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { implement, type Service } from './implement.ts'

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = healthV1.HealthCheckResponse_ServingStatus

/** The health of services. The empty name stands for the whole server. */
export class Health {
  readonly #isServing = new Map<string, boolean>()
  readonly #wakers = new Set<() => void>()

  /** The health of a server that serves all `services` from the start. */
  static serving(services: readonly Service[]): Health {
    const health = new Health()
    for (const name of ['', ...services.map((service) => service.name)]) health.set(name, true)
    return health
  }

  set(service: string, isServing: boolean): void {
    this.#isServing.set(service, isServing)
    for (const wake of this.#wakers) wake()
  }

  /** The gRPC health checking service. */
  service(): Service {
    return implement(healthV1.HealthService, {
      check: async ({ service }) => {
        const status = this.#status(service)
        if (status !== SERVICE_UNKNOWN) return { status }
        throw new NsmError('not_found', 'Cannot check the health: the service is unknown', { fields: { service } })
      },
      watch: ({ service }, { signal }) => this.#watch(service, signal),
    })
  }

  async *#watch(service: string, signal: AbortSignal): AsyncGenerator<healthV1.HealthCheckResponse> {
    let sent: number | undefined
    while (!signal.aborted) {
      const status = this.#status(service)
      if (status !== sent) yield { status }
      sent = status
      if (this.#status(service) === sent) await this.#change(signal)
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
