import { errorCode } from '../../base/index.ts'
import { formatIp, isSpecial } from '../../net/index.ts'
import {
  AF_INET,
  AF_INET6,
  dumpAddresses,
  dumpMainRoutes,
  type Message,
  readAddress,
  readGateway,
} from '../../netlink/index.ts'
import type { Bystander, Bystanders, Namespace } from '../doors.ts'
import type { OurLinks } from './our-links.ts'
import type { Rtnl, RtnlContext } from './rtnl.ts'

/** In a namespace with a thousand wires a look takes long: while it is watched, one is good until somebody changes it. */
export class LinuxBystanders implements Bystanders {
  readonly #rtnl: Rtnl
  readonly #ours: OurLinks
  /** Of watched namespaces: what was found since the last change. */
  readonly #watched = new Map<Namespace, { found?: readonly Bystander[] }>()

  constructor(rtnl: Rtnl, ours: OurLinks) {
    this.#rtnl = rtnl
    this.#ours = ours
  }

  async list(namespace: Namespace, signal: AbortSignal): Promise<readonly Bystander[]> {
    const watched = this.#watched.get(namespace)
    if (watched?.found !== undefined) return watched.found
    const found = await this.#look({ namespace, what: 'Cannot list the addresses of the pod', signal })
    if (watched !== undefined) watched.found = found // no longer looked at where something has changed meanwhile
    return found
  }

  /** From now on {@link changed} is called after each change. */
  watch(namespace: Namespace): void {
    if (!this.#watched.has(namespace)) this.#watched.set(namespace, {})
  }

  unwatch(namespace: Namespace): void {
    this.#watched.delete(namespace)
  }

  changed(namespace: Namespace): void {
    if (this.#watched.has(namespace)) this.#watched.set(namespace, {})
  }

  async #look(context: RtnlContext): Promise<readonly Bystander[]> {
    const [ours, addresses, ...routes] = await Promise.all([
      this.#ours.names(context),
      this.#rtnl.dump(context, dumpAddresses()),
      this.#mainRoutes(context, AF_INET),
      this.#mainRoutes(context, AF_INET6),
    ])
    return [
      ...addresses.map(readAddress).flatMap(({ linkIndex, address }) => entry(ours, linkIndex, address, 'address')),
      ...routes.flat().flatMap((message) => {
        const { linkIndex, gateway } = readGateway(message)
        return gateway === undefined ? [] : entry(ours, linkIndex, gateway, 'gateway')
      }),
    ]
  }

  /** In a namespace that has never had a route, the kernel has no table for them and answers ENOENT. */
  async #mainRoutes(context: RtnlContext, family: number): Promise<readonly Message[]> {
    try {
      return await this.#rtnl.dump(context, dumpMainRoutes(family))
    } catch (error) {
      if (errorCode(error) === 'not_found') return []
      throw error
    }
  }
}

/** Nothing for a special address: no wire can take it. */
function entry(
  ours: ReadonlyMap<number, string>,
  ...[linkIndex, ip, role]: readonly [number, Uint8Array, Bystander['role']]
): Bystander[] {
  return ours.has(linkIndex) || ip.length === 0 || isSpecial(ip) ? [] : [{ ip: formatIp(ip), role }]
}
