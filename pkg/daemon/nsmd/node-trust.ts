/**
 * Whom this node trusts, as its domain's authority says: bundles, exported services, expelled nodes. Kept on disk, so
 * that a node which restarts while the registry is away still knows.
 */
import { authorityV1 } from '../../api/index.ts'
import { Backoff, type Clock, describeError, type Logger, NsmError } from '../../base/index.ts'
import { type Bundles, readSecretFile, writeSecretFile } from '../../identity/index.ts'
import type { Exports } from '../../policy/index.ts'

export type TrustState = authorityV1.TrustState

export class NodeTrust {
  readonly #path: string
  readonly #listeners = new Set<() => void>()
  #state: TrustState
  #problem = 'the registry has not been asked yet'

  private constructor(path: string, state: TrustState) {
    this.#path = path
    this.#state = state
  }

  static async open(path: string): Promise<NodeTrust> {
    const kept = await readSecretFile(path)
    const bytes = Buffer.from(kept ?? '', 'base64')
    return new NodeTrust(path, authorityV1.TrustState.decode(bytes))
  }

  bundles(): Bundles {
    return bundlesOf(this.#state)
  }

  exports(): Exports {
    return new Map(this.#state.domains.map((each) => [each.trustDomain, new Set(each.exportedServices)]))
  }

  /** Whether `spiffeId` is of an expelled node, or of a workload on one. */
  isRevoked(spiffeId: string): boolean {
    const node = spiffeId.split('/', 5).join('/') // spiffe://<domain>/node/<name>
    return this.#state.revoked.includes(node)
  }

  /** Why what is known may be old; empty while the authority tells of every change. */
  get problem(): string {
    return this.#problem
  }

  async update(state: TrustState): Promise<void> {
    this.#problem = ''
    if (equals(state, this.#state)) return
    this.#state = state
    for (const listener of this.#listeners) listener()
    await writeSecretFile(this.#path, Buffer.from(authorityV1.TrustState.encode(state).finish()).toString('base64'))
  }

  lost(error: unknown): void {
    this.#problem = describeError(error)
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

export interface FollowOptions {
  readonly watch: (signal: AbortSignal) => AsyncIterable<TrustState>
  readonly clock: Clock
  readonly logger: Logger
}

/** Takes over every change until `signal` aborts. */
export async function followTrust(trust: NodeTrust, options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { watch, clock, logger } = options
  const backoff = new Backoff({ firstMs: 200, mostMs: 5_000 })
  while (!signal.aborted) {
    try {
      for await (const state of watch(signal)) {
        await trust.update(state)
        backoff.reset()
      }
      throw new NsmError('unavailable', 'Cannot follow whom the domain trusts: the registry ended the stream')
    } catch (error) {
      if (signal.aborted) return
      trust.lost(error)
      logger.warn('Lost the authority: trusting as before', { error: describeError(error) })
    }
    await clock.sleep(backoff.next(), signal).catch(() => {})
  }
}

export function bundlesOf({ trustDomain, authorities, domains }: TrustState): Bundles {
  const joined = domains.map((each) => [each.trustDomain, each.authorities] as const)
  return new Map(trustDomain === '' ? joined : [...joined, [trustDomain, authorities]])
}

function equals(a: TrustState, b: TrustState): boolean {
  const encode = (state: TrustState) => Buffer.from(authorityV1.TrustState.encode(state).finish())
  return encode(a).equals(encode(b))
}
