/**
 * Pins namespaces at the holder. A pinned namespace is also watched for changes by others. A watch is a socket in the
 * namespace and keeps it alive, so it ends before the last pin is removed.
 */
import { errorCode, KeyedQueue } from '../../base/index.ts'
import { type RtnlTransport, rtnlGroup } from '../../netlink/index.ts'
import { type NamespacePin, type Namespaces, NODE } from '../doors.ts'

const { link, ipv4Address, ipv4Route, ipv4Rule, ipv6Address, ipv6Route, ipv6Rule } = rtnlGroup
const WATCHED_GROUPS = [link, ipv4Address, ipv4Route, ipv4Rule, ipv6Address, ipv6Route, ipv6Rule].reduce(
  (groups, group) => groups | (1 << (group - 1)),
  0,
)

export function linuxNamespaces(transport: RtnlTransport): Namespaces {
  const pins = new Pins(transport)
  const queue = new KeyedQueue()
  // Serialized, so that no other pin of a namespace appears while its last one is removed.
  const serialized = <T>(task: () => Promise<T>) => queue.run('pins', task)
  return {
    list: (signal) => serialized(() => pins.list(signal)),
    pin: (pin, signal) => serialized(() => pins.pin(pin, signal)),
    unpin: (id, signal) => serialized(() => pins.unpin(id, signal)),
    watch: (onChange) => transport.onChange((namespace) => onChange(namespace ?? NODE)),
  }
}

class Pins {
  readonly #transport: RtnlTransport
  /** The pins of the holder, read once, because only this daemon changes them. */
  #pins: Map<string, string> | undefined

  constructor(transport: RtnlTransport) {
    this.#transport = transport
  }

  async list(signal: AbortSignal): Promise<readonly NamespacePin[]> {
    this.#pins = new Map(await this.#transport.pins(signal))
    for (const namespace of new Set(this.#pins.values())) await this.#watch(namespace, WATCHED_GROUPS, signal)
    return [...this.#pins].map(([id, namespace]) => ({ id, namespace }))
  }

  async pin({ id, namespace }: NamespacePin, signal: AbortSignal): Promise<void> {
    await this.#load(signal)
    await this.#transport.pin(id, namespace, signal)
    this.#pins?.set(id, namespace)
    await this.#watch(namespace, WATCHED_GROUPS, signal)
  }

  async unpin(id: string, signal: AbortSignal): Promise<void> {
    const pins = await this.#load(signal)
    const namespace = pins.get(id)
    const isLast = [...pins].every(([other, pinned]) => other === id || pinned !== namespace)
    if (namespace !== undefined && isLast) await this.#watch(namespace, 0, signal)
    await this.#transport.unpin(id, signal)
    pins.delete(id)
  }

  async #load(signal: AbortSignal): Promise<Map<string, string>> {
    this.#pins ??= new Map(await this.#transport.pins(signal))
    return this.#pins
  }

  async #watch(namespace: string, groups: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#transport.watch({ namespace, groups }, signal)
    } catch (error) {
      // The watch of a namespace that no longer exists has ended already.
      if (groups !== 0 || errorCode(error) !== 'not_found') throw error
    }
  }
}
