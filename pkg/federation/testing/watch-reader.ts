import { systemClock } from '../../base/index.ts'
import type { TrustChange, TrustStore } from '../store/trust-store.ts'

/** Reads a watch change by change, and can tell that none comes. The watch starts at once. */
export class WatchReader {
  readonly #stop = new AbortController()
  readonly #changes: AsyncIterator<TrustChange>
  #pending: Promise<IteratorResult<TrustChange>>

  constructor(store: TrustStore, revision: number) {
    this.#changes = store.watch(revision, this.#stop.signal)[Symbol.asyncIterator]()
    this.#pending = this.#changes.next()
    this.#pending.catch(() => {}) // `next` reports it
  }

  async next(waitMs = 5_000): Promise<TrustChange | 'ended' | 'nothing'> {
    let cancel = () => {}
    const late = new Promise<'nothing'>((resolve) => {
      cancel = systemClock.after(waitMs, () => resolve('nothing'))
    })
    try {
      const result = await Promise.race([this.#pending, late])
      if (result === 'nothing') return result
      if (result.done === true) return 'ended'
      this.#pending = this.#changes.next()
      this.#pending.catch(() => {})
      return result.value
    } finally {
      cancel()
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#pending.catch(() => {})
  }
}
