import { NsmError } from '../base/index.ts'

/** Changes that one watcher may leave unread before it is cut off. */
const MAX_UNREAD = 1_000

/**
 * Stands between those who write and one watcher that reads at its own pace. Writers never wait: a watcher that falls
 * too far behind loses its unread changes, fails with `resource_exhausted`, and must start again from the present state.
 */
export class WatchQueue<T> {
  readonly #most: number
  #unread: T[] = []
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(most = MAX_UNREAD) {
    this.#most = most
  }

  push(item: T): void {
    if (this.#failure !== undefined) return
    if (this.#unread.length < this.#most) this.#unread.push(item)
    else this.#overflow()
    this.#wake?.()
  }

  /** Ends the reading with `error`, after everything that was pushed before. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake?.()
  }

  /** Yields what was pushed, in order, until `signal` aborts. There is one reader. */
  async *read(signal: AbortSignal): AsyncGenerator<T> {
    const wake = () => this.#wake?.()
    signal.addEventListener('abort', wake, { once: true })
    try {
      while (!signal.aborted) {
        const batch = this.#unread
        this.#unread = []
        yield* batch
        if (this.#unread.length > 0) continue
        if (this.#failure !== undefined) throw this.#failure.error
        await this.#pushed(signal)
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  #overflow(): void {
    this.#unread = []
    this.fail(
      new NsmError('resource_exhausted', 'Cannot continue the watch: the watcher reads too slowly', {
        fields: { most: this.#most },
        next: 'watch again: the present state comes first',
      }),
    )
  }

  #pushed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      if (signal.aborted || this.#failure !== undefined || this.#unread.length > 0) resolve()
    })
  }
}
