/**
 * A TUN or TAP device lives and dies with its port. What only the link kind can see (a device that was deleted, renamed
 * or moved by someone in its namespace) is put right here.
 */
import type { Dataplane } from '../../dataplane/index.ts'
import type { PortSpec } from '../../mechanism/index.ts'

export class DevicePorts {
  readonly #dataplane: Dataplane
  /** Ports made by this process whose device has not been marked yet: the one case where a missing mark is normal. */
  readonly #unmarked = new Set<string>()

  constructor(dataplane: Dataplane) {
    this.#dataplane = dataplane
  }

  async make(spec: PortSpec, signal: AbortSignal): Promise<void> {
    await this.#dataplane.setPort(spec, signal)
    this.#unmarked.add(spec.id)
  }

  isUnmarked(id: string): boolean {
    return this.#unmarked.has(id)
  }

  marked(id: string): void {
    this.#unmarked.delete(id)
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    this.#unmarked.delete(id)
    await this.#dataplane.removePort(id, signal)
  }

  /** The same port on a new device: its cross-connect stays and is joined again. */
  async replace(spec: PortSpec, signal: AbortSignal): Promise<void> {
    await this.remove(spec.id, signal)
    await this.make(spec, signal)
  }
}
