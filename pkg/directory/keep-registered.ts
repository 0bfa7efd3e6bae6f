/**
 * Keeps the registry right about this node's endpoints: when it comes back, perhaps without its data, or drops one that
 * lives, we register them again at once instead of at their next renewal.
 */
import { describeError, follow, within } from '../base/index.ts'
import type { NodeRegistryParts } from './node-registries.ts'
import type { RegisteredEndpoint } from './registered-endpoints.ts'

const CALL_MS = 5_000
const RETRY = { firstMs: 200, maxMs: 5_000 }

/** Runs until `signal` aborts. */
export async function keepRegistered(parts: NodeRegistryParts, signal: AbortSignal): Promise<void> {
  const { clock, logger } = parts
  const onFailure = (error: unknown) =>
    logger.warn('Cannot watch our endpoints in the registry yet', { error: describeError(error) })
  await follow({ clock, retry: RETRY, signal, onFailure }, (works) => watchOwn(parts, signal, works))
}

async function watchOwn(parts: NodeRegistryParts, signal: AbortSignal, works: () => void): Promise<void> {
  const { self, registry, registered } = parts
  for (const each of registered.all()) await registerAgain(parts, each, signal)
  works()
  for await (const { value, deleted } of registry.endpoints.find(
    { endpoint: { url: self.publicUrl }, watch: true },
    { signal },
  )) {
    const lost = deleted ? registered.get(value.name) : undefined
    if (lost !== undefined) await registerAgain(parts, lost, signal)
  }
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
