import { type Client, connectivityState, type ServiceError } from '@grpc/grpc-js'
import { systemClock } from '../base/index.ts'
import type { Connector } from './connector.ts'
import { HANDSHAKE_MS } from './limits.ts'
import { closedByUs, noConnection, type Party, transportFailure } from './transport-failure.ts'

/** How often the wait checks its signal. */
const LOOK_MS = 1000

export interface Waiting {
  readonly client: Client
  readonly connector: Connector
  readonly party: Party
}

/** Waits for a connection, and establishes one if there is none. @throws {NsmError} as soon as an attempt has failed */
export async function waitForReady({ client, connector, party }: Waiting, signal: AbortSignal): Promise<void> {
  const channel = client.getChannel()
  for (let waitedMs = 0; waitedMs <= 2 * HANDSHAKE_MS; waitedMs += LOOK_MS) {
    signal.throwIfAborted()
    const state = channel.getConnectivityState(true)
    if (state === connectivityState.READY) return
    if (state === connectivityState.TRANSIENT_FAILURE) break
    if (state === connectivityState.SHUTDOWN) throw closedByUs(party)
    await new Promise<void>((resolve) => {
      channel.watchConnectivityState(state, systemClock.nowMs() + LOOK_MS, () => resolve())
    })
  }
  if (connector.refusal !== undefined) throw noConnection(connector.refusal, party)
  throw transportFailure(await lastFailure(client), party) ?? noConnection(undefined, party)
}

/** Why the last attempt to connect has failed: only calls hear of it, and this one fails before it leaves. */
function lastFailure(client: Client): Promise<Pick<ServiceError, 'details'>> {
  const none = (value: Buffer) => value
  const options = { deadline: systemClock.nowMs() + LOOK_MS }
  return new Promise((resolve) => {
    client.makeUnaryRequest('/', none, none, Buffer.alloc(0), options, (error) => resolve(error ?? { details: '' }))
  })
}
