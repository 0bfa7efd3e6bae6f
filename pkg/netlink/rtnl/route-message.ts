/** Messages about routes: struct rtmsg and RTA_* attributes. */
import { type Attribute, attribute } from '../attribute.ts'
import { attributesAfter } from '../attributes.ts'
import { HOST_IS_LITTLE_ENDIAN, readStruct, viewOf } from '../bytes.ts'
import type { Message } from '../message.ts'
import { addressFamily, change, create, dump, type RtnlRequest, rtnlType } from './request.ts'

/** The protocol number that marks our routes and rules. Neither rtnetlink(7) nor iproute2 assigns it. */
export const NSM_PROTOCOL = 147

const RTMSG_BYTES = 12
const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RTA_TABLE = 15
/** Value of the 8-bit table field of rtmsg when RTA_TABLE carries the number. */
const RT_TABLE_UNSPEC = 0
const RTN_UNICAST = 1
const RT_SCOPE_UNIVERSE = 0
const RT_SCOPE_LINK = 253
const RT_SCOPE_NOWHERE = 255
/** The gateway does not have to be in a subnet of the link. */
const RTNH_F_ONLINK = 4

export interface RouteMessage {
  readonly linkIndex: number
  /** 4 or 16 bytes, host bits zero. */
  readonly destination: Uint8Array
  readonly prefixLength: number
  readonly gateway: Uint8Array | undefined
  readonly table: number
}

export function addRoute(route: RouteMessage): RtnlRequest {
  const scope = route.gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
  return create({ type: rtnlType.newRoute, fixed: rtmsg(route, scope), attributes: routeAttributes(route) })
}

/** Removes the route only if it is ours: the kernel compares the protocol number. */
export function deleteRoute(route: RouteMessage): RtnlRequest {
  return change({
    type: rtnlType.deleteRoute,
    fixed: rtmsg(route, RT_SCOPE_NOWHERE),
    attributes: routeAttributes(route),
  })
}

/** The kernel filters by protocol number on sockets with strict checking, which the holder enables. */
export function dumpRoutes(family: number): RtnlRequest {
  const fixed = new Uint8Array(RTMSG_BYTES)
  fixed.set([family, 0, 0, 0, RT_TABLE_UNSPEC, NSM_PROTOCOL])
  return dump(rtnlType.getRoute, fixed)
}

const RT_TABLE_MAIN = 254
const RTPROT_UNSPEC = 0

/** The routes of the main table, whoever made them. */
export function dumpMainRoutes(family: number): RtnlRequest {
  const fixed = new Uint8Array(RTMSG_BYTES)
  fixed.set([family, 0, 0, 0, RT_TABLE_MAIN, RTPROT_UNSPEC])
  return dump(rtnlType.getRoute, fixed)
}

/**
 * The link and the gateway of any route; of a route with several next hops there is none.
 * @throws {NsmError} `invalid_argument` for a malformed message
 */
export function readGateway({ body }: Message): Pick<RouteMessage, 'linkIndex' | 'gateway'> {
  const attributes = attributesAfter(body, RTMSG_BYTES, 'the route')
  return { linkIndex: attributes.u32(RTA_OIF) ?? 0, gateway: attributes.bytes(RTA_GATEWAY) }
}

/** Returns undefined for a route that is not ours. @throws {NsmError} `invalid_argument` for a malformed message */
export function readRoute({ body }: Message): RouteMessage | undefined {
  const view = readStruct(body, RTMSG_BYTES, 'the route')
  if (view.getUint8(5) !== NSM_PROTOCOL) return undefined
  const attributes = attributesAfter(body, RTMSG_BYTES, 'the route')
  const gateway = attributes.bytes(RTA_GATEWAY)
  const anywhere = new Uint8Array(view.getUint8(0) === addressFamily(new Uint8Array(4)) ? 4 : 16)
  return {
    linkIndex: attributes.u32(RTA_OIF) ?? 0,
    destination: attributes.bytes(RTA_DST) ?? anywhere,
    prefixLength: view.getUint8(1),
    gateway,
    table: attributes.u32(RTA_TABLE) ?? view.getUint8(4),
  }
}

function routeAttributes({ destination, prefixLength, linkIndex, gateway, table }: RouteMessage): readonly Attribute[] {
  return [
    ...(prefixLength === 0 ? [] : [attribute.bytes(RTA_DST, destination)]),
    attribute.u32(RTA_OIF, linkIndex),
    ...(gateway === undefined ? [] : [attribute.bytes(RTA_GATEWAY, gateway)]),
    attribute.u32(RTA_TABLE, table),
  ]
}

function rtmsg({ destination, prefixLength, gateway }: RouteMessage, scope: number): Uint8Array {
  const bytes = new Uint8Array(RTMSG_BYTES)
  bytes.set([addressFamily(destination), prefixLength, 0, 0, RT_TABLE_UNSPEC, NSM_PROTOCOL, scope, RTN_UNICAST])
  viewOf(bytes).setUint32(8, gateway === undefined ? 0 : RTNH_F_ONLINK, HOST_IS_LITTLE_ENDIAN)
  return bytes
}
