/** Sample registrations, exports and readers for the tests of the registry. */
import type { Call, NetworkService, NetworkServiceEndpoint } from '../../api/index.ts'
import { type Clock, KeyedQueue } from '../../base/index.ts'
import type { Exports } from '../../policy/index.ts'
import type { ExportSource } from '../find/caller-view.ts'
import { SearchTurns } from '../find/search-turns.ts'
import { Claims } from '../rules/claims.ts'

export function service(name: string, more: Partial<NetworkService> = {}): NetworkService {
  return { name, payload: 'IP', matches: [], pathIds: ['spiffe://west/node/n1'], ...more }
}

export function endpoint(name: string, more: Partial<NetworkServiceEndpoint> = {}): NetworkServiceEndpoint {
  return {
    name,
    networkServiceNames: ['files'],
    networkServiceLabels: new Map(),
    url: 'tcp://192.0.2.1:5001',
    expiresMs: undefined,
    registeredMs: undefined,
    pathIds: ['spiffe://west/node/n1'],
    ...more,
  }
}

export function callOf(spiffeId: string, more: Partial<Call> = {}): Call {
  const peer = { spiffeId, chain: [], attestation: undefined }
  return { peer, token: undefined, signal: new AbortController().signal, ...more }
}

/** What a registry needs besides, where every node is where it says. */
export function registering(clock: Clock, recoversUntilMs = 0) {
  const claims = new Claims({ key: new Uint8Array(32), recoversUntilMs, lifeMs: 60_000, clock })
  return {
    nodes: { check: async () => {}, checkWorkload: async () => {} },
    queue: new KeyedQueue(),
    turns: new SearchTurns(),
    claims,
  }
}

/** Exports that a test can change. */
export class FakeExports implements ExportSource {
  #exports: Exports = new Map()
  readonly #listeners = new Set<() => void>()

  get listeners(): number {
    return this.#listeners.size
  }

  current(): Exports {
    return this.#exports
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  set(domain: string, ...services: string[]): void {
    this.#exports = new Map([[domain, new Set(services)]])
    for (const listener of this.#listeners) listener()
  }
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const value of values) collected.push(value)
  return collected
}

/** Reads a stream value by value, and can tell that none is waiting. */
export class Reader<T> {
  readonly #iterator: AsyncIterator<T>
  #pending: Promise<IteratorResult<T>> | undefined

  constructor(values: AsyncIterable<T>) {
    this.#iterator = values[Symbol.asyncIterator]()
  }

  async next(): Promise<T | undefined> {
    const result = await this.#ask()
    this.#pending = undefined
    return result.done === true ? undefined : result.value
  }

  /** Whether no value has arrived once everything that is ready has run. */
  async isIdle(): Promise<boolean> {
    const settled = new Promise<'idle'>((resolve) => setImmediate(() => setImmediate(() => resolve('idle'))))
    return (await Promise.race([this.#ask(), settled])) === 'idle'
  }

  #ask(): Promise<IteratorResult<T>> {
    this.#pending ??= this.#iterator.next()
    return this.#pending
  }
}
