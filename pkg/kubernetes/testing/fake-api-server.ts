/** Takes what nsmd writes about pods, and keeps it as lines; the test says when it is away, or refuses. */
import type { KubeClient } from '../../kube/index.ts'
import type { PodCondition } from '../pods/pod.ts'
import type { EventObject } from '../reports/pod-events.ts'

interface Body {
  readonly status?: { readonly conditions: readonly PodCondition[] }
  readonly series?: EventObject['series']
}

export class FakeApiServer {
  /** `web: True WiresUp …` for a condition, `web: Normal WireUp …` for an event, `web: x2 WireUp …` when it came again. */
  readonly written: string[] = []
  readonly events = new Map<string, EventObject>()
  /** Of each pod, by its name. */
  readonly conditions = new Map<string, PodCondition>()
  /** All calls, also those that failed. */
  calls = 0
  /** What each call fails with. */
  failure: Error | undefined
  /** The pod of which it fails; empty: of all. */
  failsOf = ''

  readonly client: Pick<KubeClient, 'create' | 'patch'> = {
    create: async (_resource, object) => {
      const event = object as unknown as EventObject
      this.#call(event.regarding['name'])
      this.#created(event)
      return object
    },
    patch: async (_resource, { name }, { body }) => {
      this.#call(this.events.get(name)?.regarding['name'] ?? name)
      this.#patched(name, body as Body)
      return {} as never
    },
  }

  /** What was written since the last look. */
  seen(): readonly string[] {
    return this.written.splice(0)
  }

  #call(pod: string | undefined): void {
    this.calls += 1
    if (this.failure !== undefined && ['', pod].includes(this.failsOf)) throw this.failure
  }

  #created(event: EventObject): void {
    this.events.set(event.metadata.name, event)
    this.written.push(`${event.regarding['name']}: ${event.type} ${event.reason} ${event.note}`)
  }

  #patched(name: string, { status, series }: Body): void {
    for (const condition of status?.conditions ?? []) {
      this.conditions.set(name, condition)
      this.written.push(`${name}: ${condition.status} ${condition.reason} ${condition.message}`)
    }
    const event = this.events.get(name)
    if (event !== undefined && series !== undefined) {
      this.written.push(`${event.regarding['name']}: x${series.count} ${event.reason} ${event.note}`)
    }
  }
}
