/**
 * Renews an identity at half of its lifetime, with jitter so that the nodes of a domain do not renew at the same
 * moment. While that fails it retries, and the last good identity stays in use.
 */
import { Backoff, type Clock, type Logger, limitedLogger, Scope } from '../base/index.ts'
import { staticSource } from './static-source.ts'
import { type Bundles, type Identity, type IdentitySource, lifeMsOf } from './svid.ts'

export interface RenewingOptions {
  /** Obtains a new identity. `current` is undefined the first time, and may have expired. */
  readonly obtain: (current: Identity | undefined, signal: AbortSignal) => Promise<Identity>
  /** Loads the stored identity of an earlier run, which is used at once, or renewed at once if it has expired. */
  readonly load?: () => Promise<Identity | undefined>
  readonly save?: (identity: Identity) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
  /** Cancels the wait for the first identity. */
  readonly signal?: AbortSignal
  /** 0 <= random() < 1 */
  readonly random?: () => number
}

export interface RenewingSource extends IdentitySource {
  /** Replaces the trust bundles, which change independently of renewals. */
  setBundles(bundles: Bundles): void
}

/** Resolves as soon as there is an identity. @throws the error of `obtain` when there is no stored identity */
export async function renewingSource(options: RenewingOptions): Promise<RenewingSource> {
  const { clock, obtain, load } = options
  const stored = await load?.()
  const isFresh = stored !== undefined && stored.svid.expiresMs > clock.nowMs()
  const first = isFresh ? stored : await obtain(stored, options.signal ?? new AbortController().signal)
  if (!isFresh) await keep(first, options)
  const source = staticSource(first)
  const scope = new Scope()
  const running = renewLoop(options, source, scope.signal)
  return {
    ...source,
    setBundles: (bundles) => source.replace({ ...source.current(), bundles }),
    async close() {
      await scope.close()
      await running
      await source.close()
    },
  }
}

/** How long to wait at most while there is no valid identity: nothing works until there is one. */
const EXPIRED_MS = 4_000

async function renewLoop(
  options: RenewingOptions,
  source: ReturnType<typeof staticSource>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, obtain, random = Math.random } = options
  const log = limitedLogger(options.logger, { clock })
  const backoff = new Backoff({ firstMs: 1000, maxMs: 60_000, random })
  let waitMs = untilHalfLife(source.current(), clock.nowMs(), random())
  while (!signal.aborted) {
    try {
      await clock.sleep(waitMs, signal)
      const identity = await obtain(source.current(), signal)
      source.replace(identity)
      await keep(identity, options)
      backoff.reset()
      waitMs = untilHalfLife(identity, clock.nowMs(), random())
    } catch (error) {
      if (signal.aborted) break
      const { spiffeId, expiresMs } = source.current().svid
      const isOver = expiresMs <= clock.nowMs()
      waitMs = isOver ? Math.min(backoff.next(), EXPIRED_MS) : backoff.next()
      const fields = { spiffeId, expires: new Date(expiresMs).toISOString() }
      log.warn('Cannot renew the identity, retrying', { error, ...fields })
    }
  }
  log.close()
}

/** An identity that cannot be stored is as good as another, until the next start: then the one before is renewed. */
async function keep(identity: Identity, { save, logger }: RenewingOptions): Promise<void> {
  await save?.(identity).catch((error: unknown) =>
    logger.error('Cannot store the identity: going on without', { error, spiffeId: identity.svid.spiffeId }),
  )
}

function untilHalfLife({ svid }: Identity, nowMs: number, random: number): number {
  const lifeMs = lifeMsOf(svid)
  return Math.max(0, svid.expiresMs - lifeMs * (0.55 - random / 10) - nowMs)
}
