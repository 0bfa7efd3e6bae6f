/**
 * Keeps the registry right about this node's endpoints: when it comes back, perhaps without its data, drops one that
 * lives, or has them where this node was before, we register them again at once instead of at their next renewal.
 */
import { Backoff, describeError, follow, isAway, within } from '../base/index.ts'
import type { NodeRegistryParts } from './node-registries.ts'
import type { RegisteredEndpoint } from './registered-endpoints.ts'
import { RestorePauses } from './restore-pauses.ts'

const CALL_MS = 5_000
const RETRY = { firstMs: 200, maxMs: 5_000 }
/** Of what the registry refuses. */
const REFUSED = { firstMs: 200, maxMs: 60_000 }
/** What it refuses for longer than it takes to hear of a node is worth a line. */
const LOGGED_TRY = 5

/** Runs until `signal` aborts. */
export async function keepRegistered(parts: NodeRegistryParts, signal: AbortSignal): Promise<void> {
  const { clock, logger } = parts
  const log = { logger, message: 'Cannot watch our endpoints in the registry yet' }
  const pauses = new RestorePauses(clock)
  const restore = (name: string) => restoreAfter(pauses.next(name), parts, { name, signal })
  await follow({ clock, retry: RETRY, signal, log }, (works) => watchOwn(parts, { restore, signal }, works))
  pauses.close()
}

interface Watching {
  /** Restores the registration of an endpoint. */
  readonly restore: (name: string) => void | Promise<void>
  readonly signal: AbortSignal
}

async function watchOwn(parts: NodeRegistryParts, { restore, signal }: Watching, works: () => void): Promise<void> {
  const { self, registry, registered } = parts
  const refused = await registerEach(parts, [...registered.all()], signal)
  works()
  const stop = new AbortController()
  const trying = keepTrying(parts, refused, AbortSignal.any([signal, stop.signal]))
  try {
    for await (const { value, deleted } of registry.endpoints.find(
      { endpoint: { url: self.publicUrl }, watch: true },
      { signal },
    )) {
      // What is not ours any more was not taken away.
      if (deleted && registered.get(value.name) !== undefined) await restore(value.name)
    }
  } finally {
    stop.abort()
    await trying
  }
}

/** @returns those that the registry refuses, which hold up no other. @throws {NsmError} when it is away */
async function registerEach(
  parts: NodeRegistryParts,
  endpoints: readonly RegisteredEndpoint[],
  signal: AbortSignal,
): Promise<readonly RegisteredEndpoint[]> {
  const refused: RegisteredEndpoint[] = []
  for (const each of endpoints) {
    try {
      await registerAgain(parts, each, signal)
    } catch (error) {
      if (isAway(error) || signal.aborted) throw error
      refused.push(each)
    }
  }
  return refused
}

/** The registry may not have heard yet where this node is. Ends when it refuses none, or when `signal` aborts. */
async function keepTrying(
  parts: NodeRegistryParts,
  refused: readonly RegisteredEndpoint[],
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = parts
  const pauses = new Backoff(REFUSED)
  let left = refused
  for (let tries = 1; left.length > 0; tries += 1) {
    await clock.sleep(pauses.next(), signal).catch(() => {})
    if (signal.aborted) return
    const before = left
    left = await registerEach(parts, before, signal).catch(() => before)
    const [first] = left
    if (tries !== LOGGED_TRY || first === undefined) continue
    logger.warn('The registry refuses endpoints of this node', { endpoints: left.length, first: first.endpoint.name })
  }
}

/** Others are not held up by one that has to wait. */
function restoreAfter(
  pauseMs: number,
  parts: NodeRegistryParts,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
): void | Promise<void> {
  const { registered, clock, logger } = parts
  const restore = async () => {
    const lost = registered.get(name)
    if (lost !== undefined) await registerAgain(parts, lost, signal)
  }
  if (pauseMs === 0) return restore()
  logger.warn('The registration of an endpoint is taken away again and again', { endpoint: name, pauseMs })
  clock
    .sleep(pauseMs, signal)
    .then(restore)
    .catch((error: unknown) => {
      if (signal.aborted) return
      logger.warn('Cannot restore the registration of an endpoint', { endpoint: name, error: describeError(error) })
    })
}

/** Until the time that the endpoint itself asked for: its node must not keep a dead endpoint alive. */
async function registerAgain(
  { self, registry, clock }: NodeRegistryParts,
  { endpoint, expiresMs }: RegisteredEndpoint,
  signal: AbortSignal,
): Promise<void> {
  if (expiresMs <= clock.nowMs()) return
  await within({ clock, ms: CALL_MS, signal }, (until) =>
    registry.endpoints.register({ ...endpoint, url: self.publicUrl, expiresMs }, { signal: until }),
  )
}
