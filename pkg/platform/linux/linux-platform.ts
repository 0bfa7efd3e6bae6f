import type { RtnlTransport } from '../../netlink/index.ts'
import type { Platform } from '../doors.ts'
import { linuxAddresses } from './linux-addresses.ts'
import { LinuxBystanders } from './linux-bystanders.ts'
import { linuxLinks } from './linux-links.ts'
import { linuxNamespaces } from './linux-namespaces.ts'
import { linuxNeighbours } from './linux-neighbours.ts'
import { linuxRoutes } from './linux-routes.ts'
import { linuxRules } from './linux-rules.ts'
import { OurLinks } from './our-links.ts'
import { Rtnl } from './rtnl.ts'

/** The platform of this machine's kernel. `transport` has the privileges. */
export function linuxPlatform(transport: RtnlTransport): Platform {
  const rtnl = new Rtnl(transport)
  const ours = new OurLinks(rtnl)
  const bystanders = new LinuxBystanders(rtnl, ours)
  return {
    links: linuxLinks(rtnl, ours),
    addresses: linuxAddresses(rtnl, ours),
    routes: linuxRoutes(rtnl, ours),
    rules: linuxRules(rtnl),
    neighbours: linuxNeighbours(rtnl, ours),
    bystanders,
    namespaces: linuxNamespaces(transport, { ours, bystanders }),
  }
}
