/**
 * The node as identity agent of its workloads. The kernel says who asks; what it gets lies below the node's own name, so
 * that a node speaks for nobody but itself and what runs on it.
 */
import type { Call } from '../../api/index.ts'
import { type Clock, Deadlines, type Logger, NsmError } from '../../base/index.ts'
import { createKeyAndCsr, type Identity, type RenewingSource, renewingSource } from '../../identity/index.ts'
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
  readonly #byUid = new Map<string, Kept>()
  readonly #idle: Deadlines
  readonly #unsubscribe: () => void

  constructor(options: IdentityAgentOptions) {
    this.#options = options
    this.#idle = new Deadlines(options.clock, (uid) => this.#drop(uid))
    this.#unsubscribe = options.trust.subscribe(() => this.#onTrust())
  }

  async *watch({ peer, signal }: Call): AsyncGenerator<Identity> {
    const { attestation } = peer
    if (attestation === undefined) {
      throw new NsmError('permission_denied', 'Cannot give an identity: the kernel does not say who asks')
    }
    const uid = String(attestation.uid)
    const kept = this.#use(uid, attestation.account)
    try {
      yield* changesOf(await kept.source, signal)
    } finally {
      this.#release(uid, kept)
    }
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    this.#idle.close()
    const all = [...this.#byUid.values()]
    this.#byUid.clear()
    await Promise.all(all.map(({ source }) => source.then((each) => each.close()).catch(() => {})))
  }

  #use(uid: string, account: string): Kept {
    const kept = this.#byUid.get(uid) ?? this.#keep(uid, account)
    this.#idle.clear(uid)
    kept.users += 1
    this.#byUid.set(uid, kept)
    return kept
  }

  #keep(uid: string, account: string): Kept {
    const held = [...this.#byUid.values()].filter((each) => each.account === account).length
    if (held < MAX_IDENTITIES_PER_ACCOUNT) return { source: this.#open(uid), account, users: 0 }
    throw new NsmError('resource_exhausted', 'Cannot give an identity: too many users share one account', {
      fields: { account, max: MAX_IDENTITIES_PER_ACCOUNT },
      next: `run fewer users in its containers, or wait ${IDLE_MS / 60_000} minutes for idle ones to be forgotten`,
    })
  }

  #release(uid: string, kept: Kept): void {
    kept.users -= 1
    if (kept.users > 0 || this.#byUid.get(uid) !== kept) return
    this.#idle.set(uid, this.#options.clock.nowMs() + IDLE_MS)
  }

  #drop(uid: string): void {
    const kept = this.#byUid.get(uid)
    this.#byUid.delete(uid)
    void kept?.source.then((source) => source.close())
  }

  async #open(uid: string): Promise<RenewingSource> {
    const { clock, logger } = this.#options
    try {
      return await renewingSource({ obtain: (_current, signal) => this.#issue(uid, signal), clock, logger })
    } catch (error) {
      this.#byUid.delete(uid) // the next one who asks tries again
      throw error
    }
  }

  async #issue(uid: string, signal: AbortSignal): Promise<Identity> {
    const { authority, trust, clock, logger } = this.#options
    const key = await createKeyAndCsr()
    const issued = await authority.issueWorkload(key.csr, `uid/${uid}`, signal)
    const identity = identityOf(issued, { key, known: trust.bundles(), clock })
    logger.info('Gave a workload its identity', { spiffeId: identity.svid.spiffeId })
    return identity
  }

  #onTrust(): void {
    const bundles = this.#options.trust.bundles()
    for (const { source } of this.#byUid.values()) source.then((each) => each.setBundles(bundles)).catch(() => {})
  }
}

async function* changesOf(source: RenewingSource, signal: AbortSignal): AsyncGenerator<Identity> {
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
