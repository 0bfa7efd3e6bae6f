import { type FSWatcher, watch } from 'node:fs'
import { type Clock, describeError, type Logger, within } from '../base/index.ts'
import type { Chain } from './chain.ts'

export interface KeepChainOptions {
  readonly chain: Chain
  readonly clock: Clock
  readonly logger: Logger
}

/** What no change of a folder told, such as that the folder itself is another one, is seen by then. */
const LOOK_AGAIN_MS = 10_000
/** A package that is being unpacked changes much at once. */
const SETTLE_MS = 50
/** The runtime has read its configuration by then: it does so when it changes. */
const RELOAD_MS = 1_000

/** Keeps plugin and entry in their places until `signal` aborts. */
export async function keepChain({ chain, clock, logger }: KeepChainOptions, signal: AbortSignal): Promise<void> {
  let last = ''
  const report = (state: string, log: () => void) => {
    if (state !== last) log()
    last = state
  }
  while (!signal.aborted) {
    const changes = new FolderChanges(chain.folders) // before we look, so that nothing is missed
    try {
      if (chain.put()) last = ''
      report('it stands', () => logger.info('Put nsm-cni into the chain of CNI plugins', { where: chain.placement() }))
    } catch (error) {
      const why = describeError(error)
      report(why, () => logger.warn('Cannot put nsm-cni into the chain of CNI plugins, retrying', { error: why }))
    }
    await within({ clock, ms: LOOK_AGAIN_MS, signal }, (until) => changes.next(until)).catch(() => {})
    changes.close()
    await clock.sleep(SETTLE_MS, signal).catch(() => {})
  }
}

/**
 * Takes the entry out, and then the plugin: a runtime that looks for it in vain could not even end a pod. Nothing, where
 * another run keeps the chain by now: whoever deletes our pod by force has another one made at once.
 */
export async function leaveChain({ chain, clock, logger }: KeepChainOptions): Promise<void> {
  if (chain.isTakenOver) return
  chain.removeEntry()
  await clock.sleep(RELOAD_MS)
  if (chain.isTakenOver) return
  chain.removePlugin()
  logger.info('Took nsm-cni out of the chain of CNI plugins')
}

class FolderChanges {
  readonly #watchers: readonly FSWatcher[]
  readonly #first = Promise.withResolvers<void>()

  constructor(folders: readonly string[]) {
    this.#watchers = folders.flatMap((folder) => {
      try {
        const watcher = watch(folder, () => this.#first.resolve())
        watcher.on('error', () => this.#first.resolve())
        return [watcher]
      } catch {
        return [] // it has just gone
      }
    })
  }

  async next(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#first.resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    await this.#first.promise
    signal.removeEventListener('abort', onAbort)
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close()
  }
}
