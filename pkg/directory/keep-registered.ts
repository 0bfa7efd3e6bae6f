/**
 * Keeps the registry right about this node's endpoints: when it comes back, perhaps without its data, or drops one that
 * lives, we register them again at once instead of at their next renewal.
 */
import { describeError, follow, within } from '../base/index.ts'
import type { NodeRegistryParts } from './node-registries.ts'
import type { RegisteredEndpoint } from './registered-endpoints.ts'
import { RestorePauses } from './restore-pauses.ts'

const CALL_MS = 5_000
const RETRY = { firstMs: 200, maxMs: 5_000 }

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
  for (const each of registered.all()) await registerAgain(parts, each, signal)
  works()
  for await (const { value, deleted } of registry.endpoints.find(
    { endpoint: { url: self.publicUrl }, watch: true },
    { signal },
  )) {
    if (deleted) await restore(value.name)
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
  { registry, clock }: NodeRegistryParts,
  { endpoint, expiresMs }: RegisteredEndpoint,
  signal: AbortSignal,
): Promise<void> {
  if (expiresMs <= clock.nowMs()) return
  await within({ clock, ms: CALL_MS, signal }, (until) =>
    registry.endpoints.register({ ...endpoint, expiresMs }, { signal: until }),
  )
}
