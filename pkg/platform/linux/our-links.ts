/**
 * The links with our alias, by namespace and index: messages about addresses and routes name their link by its index
 * alone. Learned from every dump, and from the events since.
 */
import { errorCode } from '../../base/index.ts'
import { dumpLinks, type LinkMessage, readLink } from '../../netlink/index.ts'
import type { Namespace } from '../doors.ts'
import { isOurAlias } from '../link-rules.ts'
import { findLinkOrGone, requireLink } from './link-lookup.ts'
import type { Rtnl, RtnlContext } from './rtnl.ts'

interface Known {
  /** By index, of links that were seen with our alias. */
  readonly names: Map<number, string>
  /** By name. */
  readonly indexes: Map<string, number>
}

export class OurLinks {
  readonly #rtnl: Rtnl
  readonly #known = new Map<Namespace, Known>()
  /** Dumps that were asked for in this turn of the event loop: all kinds of objects look at a namespace at once. */
  readonly #dumps = new Map<Namespace, Promise<readonly LinkMessage[]>>()

  constructor(rtnl: Rtnl) {
    this.#rtnl = rtnl
  }

  dump(context: RtnlContext): Promise<readonly LinkMessage[]> {
    const { namespace } = context
    const running = this.#dumps.get(namespace)
    if (running !== undefined) return running
    const dump = this.#dump(context)
    this.#dumps.set(namespace, dump)
    queueMicrotask(() => this.#dumps.delete(namespace))
    return dump
  }

  /** The names of our links, by index. */
  async names(context: RtnlContext): Promise<ReadonlyMap<number, string>> {
    return new Map((await this.dump(context)).map(({ index, name }) => [index, name]))
  }

  nameOf(namespace: Namespace, index: number): string | undefined {
    return this.#known.get(namespace)?.names.get(index)
  }

  /** The index of the link with this name. @throws {NsmError} `not_found` */
  async indexOf(context: RtnlContext, name: string): Promise<number> {
    const known = this.#known.get(context.namespace)?.indexes.get(name)
    return known ?? (await requireLink(this.#rtnl, context, name)).index
  }

  /** For removals: undefined where there is no such link, or no such namespace. */
  async indexIfAny(context: RtnlContext, name: string): Promise<number | undefined> {
    const known = this.#known.get(context.namespace)?.indexes.get(name)
    return known ?? (await findLinkOrGone(this.#rtnl, context, name))?.index
  }

  /** A link was seen with our alias. */
  learn(namespace: Namespace, { index, name }: LinkMessage): void {
    this.made(namespace, { index, name })
    this.#of(namespace).names.set(index, name)
  }

  /** A link is going to have our alias: the first events of its life do not show it yet. */
  made(namespace: Namespace, { index, name }: Pick<LinkMessage, 'index' | 'name'>): void {
    this.#of(namespace).indexes.set(name, index)
  }

  forget(namespace: Namespace, index: number): void {
    const known = this.#known.get(namespace)
    const name = known?.names.get(index)
    known?.names.delete(index)
    if (name !== undefined && known?.indexes.get(name) === index) known.indexes.delete(name)
  }

  forgetAll(namespace: Namespace): void {
    this.#known.delete(namespace)
  }

  #of(namespace: Namespace): Known {
    const known = this.#known.get(namespace) ?? { names: new Map(), indexes: new Map() }
    this.#known.set(namespace, known)
    return known
  }

  async #dump(context: RtnlContext): Promise<readonly LinkMessage[]> {
    try {
      const messages = await this.#rtnl.dump(context, dumpLinks())
      const links = messages.map(readLink).filter(({ alias }) => isOurAlias(alias))
      for (const link of links) this.learn(context.namespace, link)
      return links
    } catch (error) {
      if (errorCode(error) === 'not_found') this.forgetAll(context.namespace)
      throw error
    }
  }
}
