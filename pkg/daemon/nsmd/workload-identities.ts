/**
 * The node as identity agent of its workloads. Who asks is known from the kernel; what it gets lies below the node's
 * own name, so that a node speaks for nobody but itself and what runs on it.
 */
import type { authorityV1, Call } from '../../api/index.ts'
import { type Clock, type Logger, NsmError } from '../../base/index.ts'
import { createKeyAndCsr, type Identity, type RenewingSource, renewingSource } from '../../identity/index.ts'
import type { ClientOf, WorkloadIdentities } from '../../rpc/index.ts'
import { toIdentity } from './node-identity.ts'
import type { NodeTrust } from './node-trust.ts'

/** How long an identity is kept ready after its last user has left. */
const IDLE_MS = 10 * 60_000

export interface NodeWorkloadsOptions {
  readonly authority: ClientOf<typeof authorityV1.AuthorityService>
  readonly trust: NodeTrust
  readonly clock: Clock
  readonly logger: Logger
}

interface Kept {
  readonly source: Promise<RenewingSource>
  users: number
  /** Stops waiting for the end of the idle time. */
  keep: () => void
}

export class NodeWorkloads implements WorkloadIdentities {
  readonly #options: NodeWorkloadsOptions
  readonly #byUid = new Map<number, Kept>()
  readonly #unsubscribe: () => void

  constructor(options: NodeWorkloadsOptions) {
    this.#options = options
    this.#unsubscribe = options.trust.subscribe(() => this.#onTrust())
  }

  async *watch({ peer, signal }: Call): AsyncGenerator<Identity> {
    const { attestation } = peer
    if (attestation === undefined) {
      throw new NsmError('permission_denied', 'Cannot give an identity: the kernel does not say who asks')
    }
    const kept = this.#use(attestation.uid)
    try {
      yield* changesOf(await kept.source, signal)
    } finally {
      this.#release(attestation.uid, kept)
    }
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    const all = [...this.#byUid.values()]
    this.#byUid.clear()
    for (const { keep } of all) keep()
    await Promise.all(all.map(({ source }) => source.then((each) => each.close()).catch(() => {})))
  }

  #use(uid: number): Kept {
    const kept = this.#byUid.get(uid) ?? { source: this.#open(uid), users: 0, keep() {} }
    kept.keep()
    kept.users += 1
    this.#byUid.set(uid, kept)
    return kept
  }

  #release(uid: number, kept: Kept): void {
    kept.users -= 1
    if (kept.users > 0 || this.#byUid.get(uid) !== kept) return
    kept.keep = this.#options.clock.after(IDLE_MS, () => {
      this.#byUid.delete(uid)
      void kept.source.then((source) => source.close())
    })
  }

  async #open(uid: number): Promise<RenewingSource> {
    const { clock, logger } = this.#options
    try {
      return await renewingSource({ obtain: (_current, signal) => this.#issue(uid, signal), clock, logger })
    } catch (error) {
      this.#byUid.delete(uid) // the next one who asks tries again
      throw error
    }
  }

  async #issue(uid: number, signal: AbortSignal): Promise<Identity> {
    const { authority, clock, logger } = this.#options
    const key = await createKeyAndCsr()
    const request = { csr: Buffer.from(key.csr), path: `uid/${uid}`, dnsNames: [] }
    const identity = toIdentity(await authority.issueWorkload(request, { signal }), key, clock)
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
