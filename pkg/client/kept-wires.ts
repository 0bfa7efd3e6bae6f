/** All wires of one workload. They are maintained independently, so that a failing one never stops the others. */
import type { Labels } from '../api/index.ts'
import { describeError, errorCode } from '../base/index.ts'
import type { NsmUrl } from '../mechanism/index.ts'
import { KeptWire, type KeptWireOptions } from './kept-wire.ts'
import { SharedMonitor } from './shared-monitor.ts'

export interface KeptWiresOptions extends Omit<KeptWireOptions, 'isRetried'> {
  /** The name of the client, which becomes the first segment of each path. */
  readonly client: string
  readonly labels: Labels
}

/** A connection carries only so many calls, and each has its time limit. */
const CLOSES_AT_ONCE = 16

export class KeptWires {
  readonly #wires: readonly KeptWire[]
  readonly #monitor: SharedMonitor

  constructor(urls: readonly NsmUrl[], { client, labels, ...given }: KeptWiresOptions) {
    this.#monitor = new SharedMonitor(given.monitor, client)
    const options = { ...given, monitor: this.#monitor }
    this.#wires = urls.map((url, index) =>
      KeptWire.open({ client, id: `${client}-${index}`, url, labels }, { ...options, isRetried }),
    )
    for (const wire of this.#wires) {
      wire.up.catch((error: unknown) =>
        options.logger.error('Cannot establish the wire', { error: describeError(error) }),
      )
    }
  }

  /** @throws {AggregateError} with the failures of all wires that could not be closed */
  async close(): Promise<void> {
    const failures: unknown[] = []
    const left = this.#wires.values()
    const closeSome = async () => {
      for (const wire of left) await wire.close().catch((error: unknown) => failures.push(error))
    }
    await Promise.all(Array.from({ length: CLOSES_AT_ONCE }, closeSome))
    this.#monitor.close()
    if (failures.length > 0) throw new AggregateError(failures, 'Cannot close every wire: the others will expire')
  }
}

/** Only the user can correct an invalid request; every other failure may be temporary. */
function isRetried(error: unknown): boolean {
  return errorCode(error) !== 'invalid_argument'
}
