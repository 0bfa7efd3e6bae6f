/**
 * What an endpoint serves already when it starts: its node knows. Told before anybody new is served, the endpoint gives no
 * address away that a standing wire has, and needs no disk of its own.
 */
import type { Connection, MonitorClient } from '../api/index.ts'
import { type Clock, describeError, isAway, type Logger, retryUntilDone, within } from '../base/index.ts'

export interface StandingOptions {
  /** Of the node. */
  readonly monitor: MonitorClient
  /** Name of the endpoint. */
  readonly name: string
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
}

const RETRY = { firstMs: 100, maxMs: 2_000 }
const CALL_MS = 5_000

/**
 * Waits for a node that is away: without it, nobody can ask us anything.
 * @returns the connections in the view of the endpoint; none where the node does not say
 */
export async function standingConnections(options: StandingOptions): Promise<readonly Connection[]> {
  const { clock, logger, signal } = options
  const onFailure = (error: unknown) =>
    logger.warn('Cannot ask the node yet which wires stand', { error: describeError(error) })
  const ask = () => within({ clock, ms: CALL_MS, signal }, (until) => initialState(options, until))
  try {
    return await retryUntilDone({ clock, retry: RETRY, signal, isRetried: isAway, onFailure }, ask)
  } catch (error) {
    signal.throwIfAborted()
    logger.warn('The node does not say which wires stand: their addresses may be given away', {
      error: describeError(error),
    })
    return []
  }
}

async function initialState({ monitor, name }: StandingOptions, until: AbortSignal): Promise<readonly Connection[]> {
  const enough = new AbortController()
  const signal = AbortSignal.any([until, enough.signal])
  const selector = { pathSegments: [{ name, id: '', token: '' }], networkServices: [] }
  try {
    for await (const { connections } of monitor.monitor(selector, { signal })) {
      return [...connections.values()].flatMap((connection) => toOwnView(connection, name) ?? [])
    }
    return []
  } finally {
    enough.abort()
  }
}

/** The mechanism is that of the other side of the node: ours comes with the next request. */
function toOwnView(connection: Connection, name: string): Connection | undefined {
  const index = connection.path.index + 1
  const own = connection.path.segments[index]
  if (own?.name !== name) return undefined
  return { ...connection, id: own.id, mechanism: undefined, path: { ...connection.path, index } }
}
