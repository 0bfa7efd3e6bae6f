import { NsmError } from '../../base/index.ts'
import { formatIp, formatPrefix, ipFamily, parseIp, parsePrefix } from '../../net/index.ts'
import {
  AF_INET,
  AF_INET6,
  addRoute,
  answerError,
  deleteRoute,
  dumpRoutes,
  errno,
  type RouteMessage,
  readRoute,
} from '../../netlink/index.ts'
import type { RouteSpec, Routes } from '../doors.ts'
import { normalizeRoute } from '../normalize.ts'
import type { OurLinks } from './our-links.ts'
import { fieldsOf, type Rtnl, type RtnlContext } from './rtnl.ts'

export function linuxRoutes(rtnl: Rtnl, ours: OurLinks): Routes {
  const list = async (namespace: string, signal: AbortSignal): Promise<readonly RouteSpec[]> => {
    const context = { namespace, what: 'Cannot list routes', signal }
    const names = await ours.names(context)
    const messages = [
      ...(await rtnl.dump(context, dumpRoutes(AF_INET))),
      ...(await rtnl.dump(context, dumpRoutes(AF_INET6))),
    ]
    return messages.map(readRoute).flatMap((route) => {
      const link = route === undefined ? undefined : names.get(route.linkIndex)
      return route === undefined || link === undefined ? [] : [toRouteSpec({ namespace, link }, route)]
    })
  }
  return {
    list,

    async add(wanted, signal) {
      const spec = normalizeRoute(wanted)
      const context = contextOf(spec, 'Cannot add the route', signal)
      const index = await ours.indexOf(context, spec.link)
      const [outcome] = await rtnl.ask(context, [addRoute(toMessage(spec, index))])
      const error = outcome?.answer.errno ?? 0
      if (error === errno.EEXIST && (await list(spec.namespace, signal)).some((route) => isEqual(route, spec))) return
      if (error === errno.EEXIST) throw taken(context)
      if (outcome !== undefined && error !== 0)
        throw answerError(context.what, outcome.answer, { fields: fieldsOf(context) })
    },

    async remove(wanted, signal) {
      const spec = normalizeRoute(wanted)
      const context = contextOf(spec, 'Cannot remove the route', signal)
      const index = await ours.indexIfAny(context, spec.link)
      if (index !== undefined) await rtnl.remove(context, deleteRoute(toMessage(spec, index)))
    },
  }
}

function toMessage({ prefix, via, table }: RouteSpec, linkIndex: number): RouteMessage {
  const { address, length } = parsePrefix(prefix)
  const gateway = via === undefined ? undefined : parseIp(via)
  return { linkIndex, destination: address, prefixLength: length, gateway, table }
}

export function toRouteSpec(on: Pick<RouteSpec, 'namespace' | 'link'>, route: RouteMessage): RouteSpec {
  const { destination, prefixLength, gateway, table } = route
  const prefix = formatPrefix({ family: ipFamily(destination), address: destination, length: prefixLength })
  return { ...on, prefix, via: gateway === undefined ? undefined : formatIp(gateway), table }
}

function isEqual(a: RouteSpec, b: RouteSpec): boolean {
  return a.prefix === b.prefix && a.table === b.table && a.link === b.link && a.via === b.via
}

function contextOf({ namespace, link, prefix, table }: RouteSpec, what: string, signal: AbortSignal): RtnlContext {
  return { namespace, what, fields: { link, prefix, table }, signal }
}

function taken(context: RtnlContext): NsmError {
  return new NsmError('already_exists', 'Cannot add the route: the table has a different one to this prefix', {
    fields: fieldsOf(context),
  })
}
