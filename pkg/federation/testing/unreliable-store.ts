import { NsmError } from '../../base/index.ts'
import type { RecordKind, TrustRecord } from '../store/trust-record.ts'
import type { RecordKey, TrustChange, TrustStore } from '../store/trust-store.ts'

/** Where a process dies: at its n-th write from now, before the write is made, or after it and before the answer. */
export interface Death {
  readonly write: number
  readonly when: 'before' | 'after'
}

/** A store that one process uses, which dies, or whose watch stalls or breaks, when a test says so. */
export class UnreliableStore implements TrustStore {
  readonly store: TrustStore
  readonly #watches = new Set<AbortController>()
  #writes = 0
  #death: Death | undefined
  #isDead = false
  #stalled: Promise<void> | undefined
  #resume = () => {}

  constructor(store: TrustStore) {
    this.store = store
  }

  get isDead(): boolean {
    return this.#isDead
  }

  dieAt(death: Death): void {
    this.#writes = 0
    this.#death = death
  }

  /** Until `resumeWatch`, no change arrives. */
  stallWatch(): void {
    this.#stalled = new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  resumeWatch(): void {
    this.#stalled = undefined
    this.#resume()
  }

  /** Ends every watch that runs with `error`. */
  breakWatch(error: NsmError): void {
    for (const watch of this.#watches) watch.abort(error)
  }

  async list() {
    this.#checkAlive()
    return this.store.list()
  }

  async get<K extends RecordKind>(kind: K, name: string) {
    this.#checkAlive()
    return this.store.get(kind, name)
  }

  put(record: TrustRecord, expected: number) {
    return this.#write(() => this.store.put(record, expected))
  }

  remove(key: RecordKey, expected: number) {
    return this.#write(() => this.store.remove(key, expected))
  }

  async *watch(revision: number, signal: AbortSignal): AsyncGenerator<TrustChange> {
    const broken = new AbortController()
    this.#watches.add(broken)
    try {
      for await (const change of this.store.watch(revision, AbortSignal.any([signal, broken.signal]))) {
        await this.#stalled
        if (broken.signal.aborted || this.#isDead) break
        yield change
      }
      if (broken.signal.aborted) throw broken.signal.reason
    } finally {
      this.#watches.delete(broken)
    }
  }

  async #write(write: () => Promise<number | undefined>): Promise<number | undefined> {
    this.#checkAlive()
    this.#writes += 1
    const dies = this.#writes === this.#death?.write ? this.#death.when : undefined
    if (dies === 'before') this.#die()
    const revision = await write()
    if (dies === 'after') this.#die()
    return revision
  }

  #die(): never {
    this.#isDead = true
    this.#checkAlive()
    throw new Error('unreachable')
  }

  #checkAlive(): void {
    if (this.#isDead) throw new NsmError('unavailable', 'Cannot go on: the process is dead')
  }
}
