/**
 * Whom this node trusts, as its domain's authority says: bundles, exported services, expelled nodes. Kept on disk, so
 * that a node which restarts while the registry is away still knows.
 */
import { type Clock, describeError, follow, Listeners, type Logger, NsmError } from '../../base/index.ts'
import { type Bundles, readSecretFile, writeSecretFile } from '../../identity/index.ts'
import { type ExportConditions, type Exports, isRevokedBy } from '../../policy/index.ts'
import { decodeTrust, encodeTrust } from './trust-proto.ts'
import { bundlesOf, exportConditionsOf, exportsOf, type TrustState } from './trust-state.ts'

const RETRY = { firstMs: 200, maxMs: 5_000 }
/**
 * How long other domains are trusted while the authority is away: as long as an identity lives. By then every node of
 * ours that was expelled meanwhile has lost its identity; a domain that was revoked goes on to issue its own.
 */
export const LONGEST_AWAY_MS = 3_600_000

export class NodeTrust {
  readonly #path: string
  readonly #listeners = new Listeners<[]>()
  #state: TrustState
  #revoked: ReadonlySet<string>
  #isTooOld = false
  #diskProblem = ''
  #exportConditions: ExportConditions
  #namesake = ''
  #aheadMs = 0
  #registryDiskProblem = ''
  #problem = 'the registry has not been asked yet'

  private constructor(path: string, state: TrustState) {
    this.#path = path
    this.#state = state
    this.#revoked = new Set(state.revoked)
    this.#exportConditions = exportConditionsOf(state)
  }

  /** @param path of the file where it is kept */
  static async open(path: string): Promise<NodeTrust> {
    const kept = await readSecretFile(path)
    return new NodeTrust(path, decodeTrust(Buffer.from(kept ?? '', 'base64')))
  }

  bundles(): Bundles {
    return bundlesOf(this.#isTooOld ? { ...this.#state, domains: [] } : this.#state)
  }

  /** Our services that other domains may request. */
  exports(): Exports {
    return this.#isTooOld ? new Map() : exportsOf(this.#state)
  }

  /** For whom in those domains they are. */
  exportConditions(): ExportConditions {
    return this.#exportConditions
  }

  /** Whether `spiffeId` is of an expelled node, or of a workload on one. */
  isRevoked(spiffeId: string): boolean {
    return isRevokedBy(this.#revoked, spiffeId)
  }

  /** Why this may be out of date; empty while the authority tells us of every change. */
  get problem(): string {
    return this.#problem
  }

  /** Why it could not be written; empty where it was. */
  get diskProblem(): string {
    return this.#diskProblem
  }

  /** Why the registry cannot write its records; empty while it can. */
  get registryDiskProblem(): string {
    return this.#registryDiskProblem
  }

  /** How far the clock of this machine is ahead of the registry's. */
  get aheadMs(): number {
    return this.#aheadMs
  }

  /** Where another machine runs under our name and is refused; empty: nowhere. */
  get namesake(): string {
    return this.#namesake
  }

  async update(state: TrustState): Promise<void> {
    this.#problem = ''
    this.#namesake = state.namesake
    this.#aheadMs = state.aheadMs
    this.#registryDiskProblem = state.diskProblem
    const bytes = Buffer.from(encodeTrust(state))
    const isSame = bytes.equals(encodeTrust(this.#state))
    if (isSame && !this.#isTooOld) return
    this.#isTooOld = false
    this.#state = state
    this.#revoked = new Set(state.revoked)
    this.#exportConditions = exportConditionsOf(state)
    this.#tell()
    if (!isSame) await this.#keep(bytes)
  }

  lost(error: unknown): void {
    this.#problem = describeError(error)
  }

  /** The authority has been away for too long: nothing of other domains is trusted until it is back. */
  expire(): void {
    this.#isTooOld = true
    this.#tell()
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** What cannot be written holds all the same, and after a restart the authority says it again. */
  async #keep(bytes: Buffer): Promise<void> {
    this.#diskProblem = await writeSecretFile(this.#path, bytes.toString('base64')).then(() => '', describeError)
  }

  #tell(): void {
    this.#listeners.tell()
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
  const expire = () => {
    logger.error('The authority is away for too long: nothing of other domains is trusted')
    trust.expire()
  }
  let cancel: (() => void) | undefined = clock.after(LONGEST_AWAY_MS, expire)
  const onFailure = (error: unknown) => {
    cancel ??= clock.after(LONGEST_AWAY_MS, expire)
    trust.lost(error)
  }
  const log = { logger, message: 'Lost the authority: trusting as before' }
  return follow({ clock, retry: RETRY, signal, log, onFailure }, async (works) => {
    for await (const state of watch(signal)) {
      cancel?.()
      cancel = undefined
      await trust.update(state)
      works()
    }
    throw new NsmError('unavailable', 'Cannot follow whom the domain trusts: the registry ended the stream')
  }).finally(() => cancel?.())
}
