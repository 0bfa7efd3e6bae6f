import { type Client, connectivityState } from '@grpc/grpc-js'
import { NsmError, systemClock } from '../base/index.ts'
import type { Connector } from './connector.ts'
import { HANDSHAKE_MS } from './limits.ts'

/** How often a wait looks whether it is still wanted. */
const LOOK_MS = 1000

/** Connects where there is no connection. @throws {NsmError} as soon as a try has failed */
export async function waitForReady(client: Client, connector: Connector, signal: AbortSignal): Promise<void> {
  const channel = client.getChannel()
  for (let waitedMs = 0; waitedMs <= 2 * HANDSHAKE_MS; waitedMs += LOOK_MS) {
    signal.throwIfAborted()
    const state = channel.getConnectivityState(true)
    if (state === connectivityState.READY) return
    if (state === connectivityState.TRANSIENT_FAILURE) break
    if (state === connectivityState.SHUTDOWN) throw new NsmError('cancelled', 'Cannot reach peer: channel is closed')
    await new Promise<void>((resolve) => {
      channel.watchConnectivityState(state, systemClock.nowMs() + LOOK_MS, () => resolve())
    })
  }
  throw refusalError(connector.refusal)
}

/** What kept us from a connection: the peer's or our own refusal keeps its code, all else may pass. */
export function refusalError(refusal: unknown): NsmError {
  if (refusal instanceof NsmError) return refusal
  return new NsmError('unavailable', 'Cannot reach peer', { cause: refusal })
}
