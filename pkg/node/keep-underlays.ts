import { type Logger, Scope } from '../base/index.ts'
import type { Dataplane } from '../dataplane/index.ts'
import type { UnderlaySpec } from '../mechanism/index.ts'

export interface KeepUnderlaysOptions {
  readonly underlays: readonly UnderlaySpec[]
  readonly dataplane: Dataplane
  readonly logger: Logger
}

/** Opens the node's UDP sockets, and opens them again when a holder comes back that does not have them. */
export async function keepUnderlays(options: KeepUnderlaysOptions, signal: AbortSignal): Promise<Scope> {
  const { dataplane, logger } = options
  await openUnderlays(options, signal)
  const scope = new Scope()
  const openAgain = () =>
    openUnderlays(options, scope.signal).catch((error: unknown) => {
      logger.error('Cannot open the sockets for wires to other nodes', { error })
    })
  scope.defer(dataplane.subscribe(({ at }) => void (at === 'connected' && openAgain())))
  return scope
}

async function openUnderlays({ underlays, dataplane }: KeepUnderlaysOptions, signal: AbortSignal): Promise<void> {
  for (const underlay of underlays) await dataplane.setUnderlay(underlay, signal)
}
