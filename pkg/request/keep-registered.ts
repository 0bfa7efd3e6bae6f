/**
 * Keeps the registry's idea of this node's endpoints right: when it comes back, perhaps without its data, or drops one
 * that lives, they are registered again at once instead of at their next renewal.
 */
import { Backoff, describeError, withTimeout } from '../base/index.ts'
import type { NodeRegistryParts } from './node-registries.ts'
import type { RegisteredEndpoint } from './registered-endpoints.ts'

const CALL_MS = 5_000
const RETRY = { firstMs: 200, mostMs: 5_000 }

/** Runs until `signal` aborts. */
export async function keepRegistered(parts: NodeRegistryParts, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff(RETRY)
  while (!signal.aborted) {
    try {
      await watchOwn(parts, signal, () => backoff.reset())
    } catch (error) {
      if (signal.aborted) return
      parts.logger.warn('Cannot watch own endpoints in the registry yet', { error: describeError(error) })
    }
    await parts.clock.sleep(backoff.next(), signal).catch(() => {})
  }
}

async function watchOwn(parts: NodeRegistryParts, signal: AbortSignal, onBack: () => void): Promise<void> {
  const { self, registry, registered } = parts
  for (const each of registered.all()) await registerAgain(parts, each, signal)
  onBack()
  for await (const { value, deleted } of registry.endpoints.find(
    { endpoint: { url: self.publicUrl }, watch: true },
    { signal },
  )) {
    const lost = deleted ? registered.get(value.name) : undefined
    if (lost !== undefined) await registerAgain(parts, lost, signal)
  }
}

/** For as long as the endpoint itself has asked for, no longer: one that died must not be kept alive by its node. */
async function registerAgain(
  { registry, clock }: NodeRegistryParts,
  { endpoint, expiresMs }: RegisteredEndpoint,
  signal: AbortSignal,
): Promise<void> {
  if (expiresMs <= clock.nowMs()) return
  await registry.endpoints.register({ ...endpoint, expiresMs }, { signal: withTimeout(signal, CALL_MS) })
}
