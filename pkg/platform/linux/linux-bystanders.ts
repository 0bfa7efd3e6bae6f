import { formatIp } from '../../net/index.ts'
import { AF_INET, AF_INET6, dumpAddresses, dumpMainRoutes, readAddress, readGateway } from '../../netlink/index.ts'
import type { Bystander, Bystanders } from '../doors.ts'
import { ourLinkNames } from './link-lookup.ts'
import type { Rtnl } from './rtnl.ts'

/** On every interface of every namespace: 127.0.0.0/8, ::1, fe80::/10. */
const LOCAL = /^(127\.|169\.254\.|::1$|fe[89ab])/

export function linuxBystanders(rtnl: Rtnl): Bystanders {
  return {
    async list(namespace, signal) {
      const context = { namespace, what: 'Cannot list the addresses of the pod', signal }
      const [ours, addresses, ...routes] = await Promise.all([
        ourLinkNames(rtnl, context),
        rtnl.dump(context, dumpAddresses()),
        rtnl.dump(context, dumpMainRoutes(AF_INET)),
        rtnl.dump(context, dumpMainRoutes(AF_INET6)),
      ])
      const found: Bystander[] = [
        ...addresses.map(readAddress).flatMap(({ linkIndex, address }) => entry(ours, linkIndex, address, 'address')),
        ...routes.flat().flatMap((message) => {
          const { linkIndex, gateway } = readGateway(message)
          return gateway === undefined ? [] : entry(ours, linkIndex, gateway, 'gateway')
        }),
      ]
      return found.filter(({ ip }) => !LOCAL.test(ip))
    },
  }
}

function entry(
  ours: ReadonlyMap<number, string>,
  ...[linkIndex, ip, role]: readonly [number, Uint8Array, Bystander['role']]
): Bystander[] {
  return ours.has(linkIndex) || ip.length === 0 ? [] : [{ ip: formatIp(ip), role }]
}
