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
import type { Bystander, Bystanders } from '../doors.ts'
import { ourLinkNames } from './link-lookup.ts'
import type { Rtnl, RtnlContext } from './rtnl.ts'

export function linuxBystanders(rtnl: Rtnl): Bystanders {
  return {
    async list(namespace, signal) {
      const context = { namespace, what: 'Cannot list the addresses of the pod', signal }
      const [ours, addresses, ...routes] = await Promise.all([
        ourLinkNames(rtnl, context),
        rtnl.dump(context, dumpAddresses()),
        mainRoutes(rtnl, context, AF_INET),
        mainRoutes(rtnl, context, AF_INET6),
      ])
      return [
        ...addresses.map(readAddress).flatMap(({ linkIndex, address }) => entry(ours, linkIndex, address, 'address')),
        ...routes.flat().flatMap((message) => {
          const { linkIndex, gateway } = readGateway(message)
          return gateway === undefined ? [] : entry(ours, linkIndex, gateway, 'gateway')
        }),
      ]
    },
  }
}

/** In a namespace that has never had a route, the kernel has no table for them and answers ENOENT. */
async function mainRoutes(rtnl: Rtnl, context: RtnlContext, family: number): Promise<readonly Message[]> {
  try {
    return await rtnl.dump(context, dumpMainRoutes(family))
  } catch (error) {
    if (errorCode(error) === 'not_found') return []
    throw error
  }
}

/** Nothing for a special address: no wire can take it. */
function entry(
  ours: ReadonlyMap<number, string>,
  ...[linkIndex, ip, role]: readonly [number, Uint8Array, Bystander['role']]
): Bystander[] {
  return ours.has(linkIndex) || ip.length === 0 || isSpecial(ip) ? [] : [{ ip: formatIp(ip), role }]
}
