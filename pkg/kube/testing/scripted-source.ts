import { NsmError } from '../../base/index.ts'
import type { WatchOptions } from '../client.ts'
import { GoneError } from '../errors.ts'
import type { KubeObject, ObjectList, WatchEvent } from '../objects.ts'

/** Ends a watch: as the server does after a while, or with an error. */
type End = 'end' | Error

/** Lists and watches as a test wants them: each watch brings what the test pushes, until the test ends it. */
export class ScriptedSource<T extends KubeObject> {
  /** What each list and each watch was asked for, in order: `list`, or `watch RESOURCE_VERSION`. */
  readonly asked: string[] = []
  listed: readonly ObjectList<T>[] | Error = []
  /** Whether it answers no watch. */
  isAway = false
  #pending: (WatchEvent<T> | End)[] = []
  #wake = () => {}

  push(...events: readonly (WatchEvent<T> | End)[]): void {
    this.#pending.push(...events)
    this.#wake()
  }

  async *pages(): AsyncGenerator<ObjectList<T>> {
    this.asked.push('list')
    if (this.listed instanceof Error) throw this.listed
    yield* this.listed
  }

  async *watch(
    _: unknown,
    { resourceVersion, onOpen, signal }: Pick<WatchOptions, 'resourceVersion' | 'onOpen' | 'signal'>,
  ): AsyncGenerator<WatchEvent<T>> {
    this.asked.push(`watch ${resourceVersion}`)
    if (!this.isAway) onOpen?.()
    else throw new NsmError('unavailable', 'connection refused')
    while (!signal.aborted) {
      const event = this.#pending.shift()
      if (event === undefined) await this.#pushed(signal)
      else if (event === 'end') return
      else if (event instanceof Error) throw event
      else yield event
    }
    throw signal.reason
  }

  #pushed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}

export function gone(): GoneError {
  const status = { code: 410, reason: 'Expired', message: 'too old resource version' }
  return new GoneError('failed_precondition', 'Cannot resume', { status, call: 'WATCH' })
}
