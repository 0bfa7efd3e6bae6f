/**
 * The links with our alias, by namespace and index: messages about addresses and routes name their link by its index
 * alone. Learned from every dump, and from the events since.
 */
import { errorCode } from '../../base/index.ts'
import { dumpLinks, type LinkMessage, readLink } from '../../netlink/index.ts'
import type { Namespace } from '../doors.ts'
import { isOurAlias } from '../link-rules.ts'
import type { Rtnl, RtnlContext } from './rtnl.ts'

export class OurLinks {
  readonly #rtnl: Rtnl
  readonly #names = new Map<Namespace, Map<number, string>>()
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
    return this.#names.get(namespace)?.get(index)
  }

  learn(namespace: Namespace, { index, name }: LinkMessage): void {
    const names = this.#names.get(namespace)
    if (names === undefined) this.#names.set(namespace, new Map([[index, name]]))
    else names.set(index, name)
  }

  forget(namespace: Namespace, index: number): void {
    this.#names.get(namespace)?.delete(index)
  }

  forgetAll(namespace: Namespace): void {
    this.#names.delete(namespace)
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
