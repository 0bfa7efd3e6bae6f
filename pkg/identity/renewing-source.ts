/**
 * Keeps an identity fresh: renews at half of its life, spread by a tenth so that a domain's nodes do not come
 * together, and as long as that fails tries again while the last good identity stays in use.
 */
import { X509Certificate } from 'node:crypto'
import { Backoff, type Clock, type Logger, Scope } from '../base/index.ts'
import { staticSource } from './static-source.ts'
import type { Bundles, Identity, IdentitySource } from './svid.ts'

export interface RenewingOptions {
  /** Gets a new identity; `current` is undefined the first time. */
  readonly obtain: (current: Identity | undefined, signal: AbortSignal) => Promise<Identity>
  /** What was kept from an earlier run: used at once if it has not expired. */
  readonly load?: () => Promise<Identity | undefined>
  readonly save?: (identity: Identity) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
  /** Ends the wait for the first identity. */
  readonly signal?: AbortSignal
  /** 0 <= random() < 1 */
  readonly random?: () => number
}

export interface RenewingSource extends IdentitySource {
  /** Trust changes on its own, between renewals. */
  setBundles(bundles: Bundles): void
}

/** Resolves with the first identity at hand. @throws what `obtain` throws when there is none yet */
export async function renewingSource(options: RenewingOptions): Promise<RenewingSource> {
  const { clock, obtain, load, save } = options
  const kept = await load?.()
  const isFresh = kept !== undefined && kept.svid.expiresMs > clock.nowMs()
  const first = isFresh ? kept : await obtain(undefined, options.signal ?? new AbortController().signal)
  if (!isFresh) await save?.(first)
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

async function renewLoop(
  { clock, obtain, save, logger, random = Math.random }: RenewingOptions,
  source: ReturnType<typeof staticSource>,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff({ firstMs: 1000, maxMs: 60_000, random })
  let waitMs = untilHalfLife(source.current(), clock.nowMs(), random())
  while (!signal.aborted) {
    try {
      await clock.sleep(waitMs, signal)
      const identity = await obtain(source.current(), signal)
      await save?.(identity)
      source.replace(identity)
      backoff.reset()
      waitMs = untilHalfLife(identity, clock.nowMs(), random())
    } catch (error) {
      if (signal.aborted) return
      waitMs = backoff.next()
      const { spiffeId, expiresMs } = source.current().svid
      logger.warn('Cannot renew identity yet', { error, spiffeId, expires: new Date(expiresMs).toISOString() })
    }
  }
}

function untilHalfLife({ svid }: Identity, nowMs: number, random: number): number {
  const [leaf] = svid.chain
  const fromMs = leaf === undefined ? nowMs : new X509Certificate(leaf).validFromDate.getTime()
  const lifeMs = svid.expiresMs - fromMs
  return Math.max(0, fromMs + lifeMs * (0.45 + random / 10) - nowMs)
}
