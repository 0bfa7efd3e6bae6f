/**
 * Pins at the holder; a pinned namespace is also watched, so that what others change there is noticed. A watch is a
 * socket in the namespace, which keeps it alive: it ends before the last pin does.
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
  const door = new PinsDoor(transport)
  const queue = new KeyedQueue()
  // One after the other: whether a pin is the last of its namespace is decided and done in one.
  const inTurn = <T>(task: () => Promise<T>) => queue.run('pins', task)
  return {
    list: (signal) => inTurn(() => door.list(signal)),
    pin: (pin, signal) => inTurn(() => door.pin(pin, signal)),
    unpin: (id, signal) => inTurn(() => door.unpin(id, signal)),
    watch: (onChange) => transport.onChange((namespace) => onChange(namespace ?? NODE)),
  }
}

class PinsDoor {
  readonly #transport: RtnlTransport
  /** What the holder has, read once: only this daemon changes it. */
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
      // To end a watch in a namespace that is gone: it went with it.
      if (groups !== 0 || errorCode(error) !== 'not_found') throw error
    }
  }
}
