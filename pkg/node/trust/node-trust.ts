/**
 * Whom this node trusts, as its domain's authority says: bundles, exported services, expelled nodes. Kept on disk, so
 * that a node which restarts while the registry is away still knows.
 */
import { type Clock, describeError, follow, type Logger, NsmError } from '../../base/index.ts'
import { type Bundles, readSecretFile, writeSecretFile } from '../../identity/index.ts'
import { type Exports, isRevokedBy } from '../../policy/index.ts'
import { decodeTrust, encodeTrust } from './trust-proto.ts'
import { bundlesOf, exportsOf, type TrustState } from './trust-state.ts'

const RETRY = { firstMs: 200, maxMs: 5_000 }

export class NodeTrust {
  readonly #path: string
  readonly #listeners = new Set<() => void>()
  #state: TrustState
  #revoked: ReadonlySet<string>
  #problem = 'the registry has not been asked yet'

  private constructor(path: string, state: TrustState) {
    this.#path = path
    this.#state = state
    this.#revoked = new Set(state.revoked)
  }

  /** @param path of the file where it is kept */
  static async open(path: string): Promise<NodeTrust> {
    const kept = await readSecretFile(path)
    return new NodeTrust(path, decodeTrust(Buffer.from(kept ?? '', 'base64')))
  }

  bundles(): Bundles {
    return bundlesOf(this.#state)
  }

  /** Our services that other domains may request. */
  exports(): Exports {
    return exportsOf(this.#state)
  }

  /** Whether `spiffeId` is of an expelled node, or of a workload on one. */
  isRevoked(spiffeId: string): boolean {
    return isRevokedBy(this.#revoked, spiffeId)
  }

  /** Why this may be out of date; empty while the authority tells us of every change. */
  get problem(): string {
    return this.#problem
  }

  async update(state: TrustState): Promise<void> {
    this.#problem = ''
    const bytes = Buffer.from(encodeTrust(state))
    if (bytes.equals(encodeTrust(this.#state))) return
    this.#state = state
    this.#revoked = new Set(state.revoked)
    for (const listener of this.#listeners) listener()
    await writeSecretFile(this.#path, bytes.toString('base64'))
  }

  lost(error: unknown): void {
    this.#problem = describeError(error)
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

export interface FollowTrustOptions {
  readonly watch: (signal: AbortSignal) => AsyncIterable<TrustState>
  readonly clock: Clock
  readonly logger: Logger
}

/** Takes over every change until `signal` aborts. */
export function followTrust(trust: NodeTrust, options: FollowTrustOptions, signal: AbortSignal): Promise<void> {
  const { watch, clock, logger } = options
  const onFailure = (error: unknown) => {
    trust.lost(error)
    logger.warn('Lost the authority: trusting as before', { error: describeError(error) })
  }
  return follow({ clock, retry: RETRY, signal, onFailure }, async (works) => {
    for await (const state of watch(signal)) {
      await trust.update(state)
      works()
    }
    throw new NsmError('unavailable', 'Cannot follow whom the domain trusts: the registry ended the stream')
  })
}
