import type { RtnlTransport } from '../../netlink/index.ts'
import type { Platform } from '../doors.ts'
import { linuxAddresses } from './linux-addresses.ts'
import { linuxBystanders } from './linux-bystanders.ts'
import { linuxLinks } from './linux-links.ts'
import { linuxNamespaces } from './linux-namespaces.ts'
import { linuxNeighbours } from './linux-neighbours.ts'
import { linuxRoutes } from './linux-routes.ts'
import { linuxRules } from './linux-rules.ts'
import { Rtnl } from './rtnl.ts'

/** The platform of this machine's kernel. `transport` has the privileges. */
export function linuxPlatform(transport: RtnlTransport): Platform {
  const rtnl = new Rtnl(transport)
  return {
    links: linuxLinks(rtnl),
    addresses: linuxAddresses(rtnl),
    routes: linuxRoutes(rtnl),
    rules: linuxRules(rtnl),
    neighbours: linuxNeighbours(rtnl),
    bystanders: linuxBystanders(rtnl),
    namespaces: linuxNamespaces(transport),
  }
}
