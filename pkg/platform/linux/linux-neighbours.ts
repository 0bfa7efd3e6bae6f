import { formatIp, formatMac, parseIp, parseMac } from '../../net/index.ts'
import { deleteNeighbour, dumpNeighbours, readNeighbour, setNeighbour } from '../../netlink/index.ts'
import type { NeighbourSpec, Neighbours } from '../doors.ts'
import type { OurLinks } from './our-links.ts'
import type { Rtnl, RtnlContext } from './rtnl.ts'

export function linuxNeighbours(rtnl: Rtnl, ours: OurLinks): Neighbours {
  return {
    async list(namespace, signal) {
      const context = { namespace, what: 'Cannot list neighbours', signal }
      const names = await ours.names(context)
      if (names.size === 0) return []
      const messages = await rtnl.dump(context, dumpNeighbours())
      return messages.map(readNeighbour).flatMap((entry): NeighbourSpec[] => {
        const link = entry === undefined ? undefined : names.get(entry.linkIndex)
        if (entry === undefined || link === undefined) return []
        return [{ namespace, link, ip: formatIp(entry.ip), mac: formatMac(entry.mac) }]
      })
    },

    async add(spec, signal) {
      const context = contextOf(spec, 'Cannot add the neighbour', signal)
      const [ip, mac] = [parseIp(spec.ip), parseMac(spec.mac)]
      const linkIndex = await ours.indexOf(context, spec.link)
      await rtnl.change(context, [setNeighbour({ linkIndex, ip, mac })])
    },

    async remove(spec, signal) {
      const context = contextOf(spec, 'Cannot remove the neighbour', signal)
      const linkIndex = await ours.indexIfAny(context, spec.link)
      if (linkIndex !== undefined) await rtnl.remove(context, deleteNeighbour({ linkIndex, ip: parseIp(spec.ip) }))
    },
  }
}

function contextOf({ namespace, link, ip }: NeighbourSpec, what: string, signal: AbortSignal): RtnlContext {
  return { namespace, what, fields: { link, ip }, signal }
}
