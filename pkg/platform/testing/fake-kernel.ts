/**
 * A kernel in memory: namespaces with their objects, and a transcript of all writes in the syntax of iproute2. Its
 * state outlives the platform, as a kernel outlives a daemon: a test can restart the daemon on the same `FakeKernel`.
 */
import { NsmError } from '../../base/index.ts'
import { NODE } from '../doors.ts'
import { FakeNamespace } from './fake-namespace.ts'
import { type Intercept, passThrough } from './intercept.ts'

export class FakeKernel {
  /** All effective writes, such as `ip -n <namespace> link del nsm-1`. */
  readonly transcript: string[] = []
  /** Tests replace it to inject failures. */
  intercept: Intercept = passThrough
  readonly #namespaces = new Map([[NODE, new FakeNamespace(NODE)]])
  /** Namespaces with a running process; all others exist only while they are pinned. */
  readonly #shown = new Set<string>([NODE])
  readonly pins = new Map<string, string>()
  readonly #listeners = new Set<(namespace: string) => void>()

  addNamespace(id: string): void {
    this.#namespaces.set(id, this.#namespaces.get(id) ?? new FakeNamespace(id))
    this.#shown.add(id)
  }

  /** The last process in it has ended: unless pinned, the namespace disappears with all its objects. */
  releaseNamespace(id: string): void {
    this.#shown.delete(id)
    this.collect(id)
  }

  /** @throws {NsmError} `not_found` */
  namespace(id: string): FakeNamespace {
    const namespace = this.#namespaces.get(id)
    if (namespace !== undefined) return namespace
    throw new NsmError('not_found', 'Cannot find the network namespace: no client is in it and it is not pinned', {
      fields: { namespace: id },
    })
  }

  hasNamespace(id: string): boolean {
    return this.#namespaces.has(id)
  }

  /** Adds a link of somebody else, such as a TUN device of the dataplane. Returns its index. */
  addDevice(namespace: string, name: string, kind: string): number {
    const link = this.namespace(namespace).addLink(name, kind)
    this.changed(namespace)
    return link.index
  }

  /** @param index removes exactly this device, whatever its name is by now; without it, the one with this name */
  removeDevice(namespace: string, name: string, index?: number): void {
    const space = this.#namespaces.get(namespace)
    const links = [...(space?.links.values() ?? [])]
    const link = links.find((link) => (index === undefined ? link.name === name : link.index === index))
    if (link !== undefined) space?.removeLink(link.name)
    this.changed(namespace)
  }

  /** Does what `ip link set <name> down` does. */
  setDown(namespace: string, name: string): void {
    this.namespace(namespace).setDown(name)
    this.changed(namespace)
  }

  /** Runs `effect` through the injected failures, and records `command` if the effect happened. */
  async write(namespace: string, command: string, run: { effect: () => void; signal: AbortSignal }): Promise<void> {
    run.signal.throwIfAborted()
    const line = namespace === NODE ? `ip ${command}` : `ip -n ${namespace} ${command}`
    const effect = () => {
      run.effect()
      this.transcript.push(line)
      this.changed(namespace)
    }
    await this.intercept({ command: line, isWrite: true }, effect, run.signal)
  }

  async read<T>(command: string, run: { effect: () => T; signal: AbortSignal }): Promise<T> {
    run.signal.throwIfAborted()
    let result: { readonly value: T } | undefined
    const effect = () => {
      result = { value: run.effect() }
    }
    await this.intercept({ command, isWrite: false }, effect, run.signal)
    if (result === undefined)
      throw new NsmError('internal', 'Cannot read the state: the intercept did not call the effect')
    return result.value
  }

  watch(listener: (namespace: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Only pinned namespaces are watched. Listeners are called asynchronously, as from a socket. */
  changed(namespace: string): void {
    if (![...this.pins.values()].includes(namespace)) return
    for (const listener of this.#listeners) queueMicrotask(() => listener(namespace))
  }

  /** Removes a namespace that has neither a process nor a pin. */
  collect(id: string): void {
    if (this.#shown.has(id) || [...this.pins.values()].includes(id)) return
    const namespace = this.#namespaces.get(id)
    for (const name of [...(namespace?.links.keys() ?? [])]) namespace?.removeLink(name)
    this.#namespaces.delete(id)
  }
}
