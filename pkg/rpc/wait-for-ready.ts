import { type Client, connectivityState } from '@grpc/grpc-js'
import { NsmError, systemClock } from '../base/index.ts'
import type { Connector } from './connector.ts'
import { HANDSHAKE_MS } from './limits.ts'

/** How often the wait checks its signal. */
const LOOK_MS = 1000

/** Waits for a connection, and establishes one if there is none. @throws {NsmError} as soon as an attempt has failed */
export async function waitForReady(client: Client, connector: Connector, signal: AbortSignal): Promise<void> {
  const channel = client.getChannel()
  for (let waitedMs = 0; waitedMs <= 2 * HANDSHAKE_MS; waitedMs += LOOK_MS) {
    signal.throwIfAborted()
    const state = channel.getConnectivityState(true)
    if (state === connectivityState.READY) return
    if (state === connectivityState.TRANSIENT_FAILURE) break
    if (state === connectivityState.SHUTDOWN)
      throw new NsmError('cancelled', 'Cannot reach the peer: the channel is closed')
    await new Promise<void>((resolve) => {
      channel.watchConnectivityState(state, systemClock.nowMs() + LOOK_MS, () => resolve())
    })
  }
  throw refusalError(connector.refusal)
}

/** Why there is no connection. A refusal by either side keeps its code; everything else may be temporary. */
export function refusalError(refusal: unknown): NsmError {
  if (refusal instanceof NsmError) return refusal
  return new NsmError('unavailable', 'Cannot reach the peer', { cause: refusal })
}
