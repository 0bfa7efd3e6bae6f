/**
 * The node as identity agent of its workloads. The kernel says who asks; what it gets lies below the node's own name, so
 * that a node speaks for nobody but itself and what runs on it.
 */
import type { Attestation, Call } from '../../api/index.ts'
import { type Clock, Deadlines, type Logger, NsmError } from '../../base/index.ts'
import {
  createKeyAndCsr,
  type Identity,
  type IdentitySource,
  type RenewingSource,
  renewingSource,
} from '../../identity/index.ts'
import type { WorkloadIdentities } from '../../rpc/index.ts'
import type { AuthorityClient } from '../authority-client.ts'
import type { NodeTrust } from '../trust/node-trust.ts'
import { identityOf } from './issued-identity.ts'

/** How long an identity is kept ready after its last user has left. */
const IDLE_MS = 10 * 60_000
/** A user can have a range of uids for containers. */
const MAX_IDENTITIES_PER_ACCOUNT = 64

export interface IdentityAgentOptions {
  readonly authority: AuthorityClient
  readonly trust: NodeTrust
  /** What a workload is called below the node. Without it, by its uid: `uid/1000`. */
  readonly pathOf?: (attestation: Attestation) => string
  readonly clock: Clock
  readonly logger: Logger
}

interface Kept {
  readonly account: string
  readonly source: Promise<RenewingSource>
  users: number
}

export class IdentityAgent implements WorkloadIdentities {
  readonly #options: IdentityAgentOptions
  readonly #byPath = new Map<string, Kept>()
  readonly #idle: Deadlines
  readonly #unsubscribe: () => void

  constructor(options: IdentityAgentOptions) {
    this.#options = options
    this.#idle = new Deadlines(options.clock, (path) => this.#drop(path))
    this.#unsubscribe = options.trust.subscribe(() => this.#onTrust())
  }

  async *watch({ peer, signal }: Call): AsyncGenerator<Identity> {
    const { attestation } = peer
    if (attestation === undefined) {
      throw new NsmError('permission_denied', 'Cannot give an identity: the kernel does not say who asks')
    }
    const { pathOf = byUid } = this.#options
    const identity = await this.hold(pathOf(attestation), attestation.account)
    try {
      yield* changesOf(identity, signal)
    } finally {
      await identity.close()
    }
  }

  /**
   * The identity of a workload for which this node speaks itself. It is renewed until it is closed.
   * @param account whom it is counted for
   */
  async hold(path: string, account: string): Promise<IdentitySource> {
    const kept = this.#use(path, account)
    try {
      return { ...(await kept.source), close: async () => this.#release(path, kept) }
    } catch (error) {
      this.#release(path, kept)
      throw error
    }
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    this.#idle.close()
    const all = [...this.#byPath.values()]
    this.#byPath.clear()
    await Promise.all(all.map(({ source }) => source.then((each) => each.close()).catch(() => {})))
  }

  #use(path: string, account: string): Kept {
    const kept = this.#byPath.get(path) ?? this.#keep(path, account)
    this.#idle.clear(path)
    kept.users += 1
    this.#byPath.set(path, kept)
    return kept
  }

  #keep(path: string, account: string): Kept {
    const held = [...this.#byPath.values()].filter((each) => each.account === account).length
    if (held < MAX_IDENTITIES_PER_ACCOUNT) return { source: this.#open(path), account, users: 0 }
    throw new NsmError('resource_exhausted', 'Cannot give an identity: too many users share one account', {
      fields: { account, max: MAX_IDENTITIES_PER_ACCOUNT },
      next: `run fewer users in its containers, or wait ${IDLE_MS / 60_000} minutes for idle ones to be forgotten`,
    })
  }

  #release(path: string, kept: Kept): void {
    kept.users -= 1
    if (kept.users > 0 || this.#byPath.get(path) !== kept) return
    this.#idle.set(path, this.#options.clock.nowMs() + IDLE_MS)
  }

  #drop(path: string): void {
    const kept = this.#byPath.get(path)
    this.#byPath.delete(path)
    void kept?.source.then((source) => source.close())
  }

  async #open(path: string): Promise<RenewingSource> {
    const { clock, logger } = this.#options
    try {
      return await renewingSource({ obtain: (_current, signal) => this.#issue(path, signal), clock, logger })
    } catch (error) {
      this.#byPath.delete(path) // the next one who asks tries again
      throw error
    }
  }

  async #issue(path: string, signal: AbortSignal): Promise<Identity> {
    const { authority, trust, clock, logger } = this.#options
    const key = await createKeyAndCsr()
    const issued = await authority.issueWorkload(key.csr, path, signal)
    const identity = identityOf(issued, { key, known: trust.bundles(), clock })
    logger.info('Gave a workload its identity', { spiffeId: identity.svid.spiffeId })
    return identity
  }

  #onTrust(): void {
    const bundles = this.#options.trust.bundles()
    for (const { source } of this.#byPath.values()) source.then((each) => each.setBundles(bundles)).catch(() => {})
  }
}

function byUid({ uid }: Attestation): string {
  return `uid/${uid}`
}

async function* changesOf(source: IdentitySource, signal: AbortSignal): AsyncGenerator<Identity> {
  let changed = Promise.withResolvers<void>()
  const wake = () => changed.resolve()
  const unsubscribe = source.subscribe(wake)
  signal.addEventListener('abort', wake, { once: true })
  try {
    while (!signal.aborted) {
      changed = Promise.withResolvers()
      yield source.current()
      if (!signal.aborted) await changed.promise
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', wake)
  }
}
