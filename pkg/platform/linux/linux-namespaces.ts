/**
 * Pins namespaces at the holder. A pinned namespace is also watched for changes by others. A watch is a socket in the
 * namespace and keeps it alive, so it ends before the last pin is removed.
 */
import { errorCode, KeyedQueue } from '../../base/index.ts'
import { type RtnlTransport, rtnlGroup } from '../../netlink/index.ts'
import { type Namespace, type NamespacePin, type Namespaces, NODE } from '../doors.ts'
import { readChange } from './changes.ts'
import type { LinuxBystanders } from './linux-bystanders.ts'
import type { OurLinks } from './our-links.ts'

const { link, ipv4Address, ipv4Route, ipv4Rule, ipv6Address, ipv6Route, ipv6Rule } = rtnlGroup
const WATCHED_GROUPS = [link, ipv4Address, ipv4Route, ipv4Rule, ipv6Address, ipv6Route, ipv6Rule].reduce(
  (groups, group) => groups | (1 << (group - 1)),
  0,
)

/** What is remembered of watched namespaces. */
interface Known {
  readonly ours: OurLinks
  readonly bystanders: LinuxBystanders
}

export function linuxNamespaces(transport: RtnlTransport, known: Known): Namespaces {
  const { ours, bystanders } = known
  const pins = new Pins(transport, known)
  const queue = new KeyedQueue()
  // Serialized, so that no other pin of a namespace appears while its last one is removed.
  const serialized = <T>(task: () => Promise<T>) => queue.run('pins', task)
  return {
    list: (signal) => serialized(() => pins.list(signal)),
    pin: (pin, signal) => serialized(() => pins.pin(pin, signal)),
    unpin: (id, signal) => serialized(() => pins.unpin(id, signal)),
    watch: (onChange) =>
      transport.onChange((namespace = NODE, message) => {
        const told = message === undefined ? 'any' : readChange(ours, namespace, message)
        if (told === 'any' || told === 'bystander') bystanders.changed(namespace)
        if (told === 'any') onChange(namespace)
        else if (told !== undefined && told !== 'bystander') onChange(namespace, told)
      }),
  }
}

class Pins {
  readonly #transport: RtnlTransport
  readonly #known: Known
  /** The pins of the holder, read once, because only this daemon changes them. */
  #pins: Map<string, Namespace> | undefined
  /** How many of them each namespace has. */
  readonly #counts = new Map<Namespace, number>()

  constructor(transport: RtnlTransport, known: Known) {
    this.#transport = transport
    this.#known = known
  }

  async list(signal: AbortSignal): Promise<readonly NamespacePin[]> {
    this.#counts.clear()
    this.#pins = undefined
    const pins = await this.#load(signal)
    for (const namespace of this.#counts.keys()) await this.#watch(namespace, WATCHED_GROUPS, signal)
    return [...pins].map(([id, namespace]) => ({ id, namespace }))
  }

  async pin({ id, namespace }: NamespacePin, signal: AbortSignal): Promise<void> {
    const pins = await this.#load(signal)
    // The holder takes one after the other: the watch need not wait for the answer of the pin.
    const [pinned, watched] = await Promise.allSettled([
      this.#transport.pin(id, namespace, signal),
      this.#watch(namespace, WATCHED_GROUPS, signal),
    ])
    if (pinned.status === 'rejected') {
      if (!this.#counts.has(namespace)) await this.#watch(namespace, 0, signal)
      throw pinned.reason
    }
    if (!pins.has(id)) this.#count(namespace, 1)
    pins.set(id, namespace)
    if (watched.status === 'rejected') throw watched.reason
  }

  async unpin(id: string, signal: AbortSignal): Promise<void> {
    const pins = await this.#load(signal)
    const namespace = pins.get(id)
    if (namespace !== undefined && this.#counts.get(namespace) === 1) await this.#watch(namespace, 0, signal)
    await this.#transport.unpin(id, signal)
    if (pins.delete(id) && namespace !== undefined) this.#count(namespace, -1)
  }

  async #load(signal: AbortSignal): Promise<Map<string, Namespace>> {
    if (this.#pins !== undefined) return this.#pins
    const pins = new Map(await this.#transport.pins(signal))
    for (const namespace of pins.values()) this.#count(namespace, 1)
    this.#pins = pins
    return pins
  }

  #count(namespace: Namespace, change: 1 | -1): void {
    const count = (this.#counts.get(namespace) ?? 0) + change
    if (count === 0) this.#counts.delete(namespace)
    else this.#counts.set(namespace, count)
  }

  async #watch(namespace: Namespace, groups: number, signal: AbortSignal): Promise<void> {
    const { ours, bystanders } = this.#known
    try {
      if (groups === 0) bystanders.unwatch(namespace)
      await this.#transport.watch({ namespace, groups }, signal)
      if (groups === 0) ours.forgetAll(namespace)
      else bystanders.watch(namespace)
    } catch (error) {
      // The watch of a namespace that no longer exists has ended already.
      if (groups !== 0 || errorCode(error) !== 'not_found') throw error
      ours.forgetAll(namespace)
    }
  }
}
