/** Messages about links: struct ifinfomsg and IFLA_* attributes. */
import { type Attribute, attribute } from '../attribute.ts'
import { type Attributes, attributesAfter } from '../attributes.ts'
import { HOST_IS_LITTLE_ENDIAN, readStruct, viewOf } from '../bytes.ts'
import type { Message } from '../message.ts'
import { CHECKED_GROUP } from '../protocol.ts'
import { AF_INET, change, create, dump, type RtnlRequest, rtnlType } from './request.ts'

const IFINFOMSG_BYTES = 16
const IFF_UP = 0x1

const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_LINK = 5
const IFLA_LINKINFO = 18
const IFLA_IFALIAS = 20
const IFLA_AF_SPEC = 26
const IFLA_GROUP = 27
const IFLA_NET_NS_FD = 28
const IFLA_EXT_MASK = 29
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const VETH_INFO_PEER = 1
const IFLA_INET_CONF = 1
/** IPV4_DEVCONF_RP_FILTER, of a list that counts from 1. */
const RP_FILTER = 8
/** RFC 3704, strict: the route back to the source of a packet must be by the link on which it came. */
const STRICT = 1
/** RTEXT_FILTER_SKIP_STATS: the statistics would make up most of each message. */
const SKIP_STATS = 1 << 3

/** A reference to a link by its index or its name. */
export type LinkRef = { readonly index: number } | { readonly name: string }

export interface VethEnd {
  /** Undefined for the namespace to which the request is sent. */
  readonly namespace: string | undefined
  readonly name: string
  /** Chosen by the caller, so that later requests can only affect the link that it has created. */
  readonly index: number
  readonly mtuBytes: number
}

export interface LinkMessage {
  readonly index: number
  readonly name: string
  readonly kind: string
  readonly alias: string
  readonly mtuBytes: number
  readonly isUp: boolean
  readonly mac: Uint8Array
  /** Index of the lower link, or of the peer of a veth in the namespace of that peer; 0 if there is none. */
  readonly lowerIndex: number
  /** See {@link LinkSettings}. */
  readonly checksSources: boolean
  readonly checksIpv6Sources: boolean
}

/**
 * Creates both ends of a pair. They are still down, because the kernel accepts neither an alias nor, for the far end,
 * IFF_UP on creation. The kernel answers EEXIST for a name in use and EBUSY for an index in use.
 */
export function addVeth(near: Omit<VethEnd, 'namespace'>, far: VethEnd): RtnlRequest {
  return create({
    type: rtnlType.newLink,
    fixed: ifinfomsg(near.index),
    attributes: [
      ...endAttributes(near),
      attribute.nested(IFLA_LINKINFO, [
        attribute.text(IFLA_INFO_KIND, 'veth'),
        attribute.nested(IFLA_INFO_DATA, [vethPeer(far)]),
      ]),
    ],
  })
}

export interface LinkSettings {
  readonly alias: string
  readonly mtuBytes: number
  /** Whether the kernel drops IPv4 packets from sources to which no route leads by this link. */
  readonly checksSources?: boolean | undefined
  /** The same for IPv6, where the namespace was told to: see {@link RtnlTransport.checkSources}. */
  readonly checksIpv6Sources?: boolean | undefined
}

export function setLink(link: LinkRef, settings: LinkSettings): RtnlRequest {
  const { alias, mtuBytes, checksSources = false, checksIpv6Sources = false } = settings
  return change({
    type: rtnlType.setLink,
    fixed: ifinfomsg(indexOf(link), IFF_UP),
    attributes: [
      ...nameOf(link),
      attribute.text(IFLA_IFALIAS, alias),
      attribute.u32(IFLA_MTU, mtuBytes),
      ...(checksSources ? [inetConf([attribute.u32(RP_FILTER, STRICT)])] : []),
      ...(checksIpv6Sources ? [attribute.u32(IFLA_GROUP, CHECKED_GROUP)] : []),
    ],
  })
}

export function deleteLink(link: LinkRef): RtnlRequest {
  return change({ type: rtnlType.deleteLink, fixed: ifinfomsg(indexOf(link)), attributes: nameOf(link) })
}

export function getLink(link: LinkRef): RtnlRequest {
  const attributes = [...nameOf(link), attribute.u32(IFLA_EXT_MASK, SKIP_STATS)]
  return change({ type: rtnlType.getLink, fixed: ifinfomsg(indexOf(link)), attributes })
}

export function dumpLinks(): RtnlRequest {
  return dump(rtnlType.getLink, ifinfomsg(0), [attribute.u32(IFLA_EXT_MASK, SKIP_STATS)])
}

/** @throws {NsmError} `invalid_argument` for a malformed message */
export function readLink({ body }: Message): LinkMessage {
  const view = readStruct(body, IFINFOMSG_BYTES, 'the link')
  const attributes = attributesAfter(body, IFINFOMSG_BYTES, 'the link')
  return {
    index: view.getInt32(4, HOST_IS_LITTLE_ENDIAN),
    name: attributes.text(IFLA_IFNAME) ?? '',
    kind: attributes.nested(IFLA_LINKINFO)?.text(IFLA_INFO_KIND) ?? '',
    alias: attributes.text(IFLA_IFALIAS) ?? '',
    mtuBytes: attributes.u32(IFLA_MTU) ?? 0,
    isUp: (view.getUint32(8, HOST_IS_LITTLE_ENDIAN) & IFF_UP) !== 0,
    mac: attributes.bytes(IFLA_ADDRESS) ?? new Uint8Array(),
    lowerIndex: attributes.u32(IFLA_LINK) ?? 0,
    checksSources: readInetConf(attributes, RP_FILTER) === STRICT,
    checksIpv6Sources: attributes.u32(IFLA_GROUP) === CHECKED_GROUP,
  }
}

function inetConf(settings: readonly Attribute[]): Attribute {
  return attribute.nested(IFLA_AF_SPEC, [attribute.nested(AF_INET, [attribute.nested(IFLA_INET_CONF, settings)])])
}

/** The kernel writes all settings as one list of 32 bits each, and reads them one by one. */
function readInetConf(attributes: Attributes, setting: number): number | undefined {
  const list = attributes.nested(IFLA_AF_SPEC)?.nested(AF_INET)?.bytes(IFLA_INET_CONF)
  const at = 4 * (setting - 1)
  return list === undefined || list.length < at + 4 ? undefined : viewOf(list).getUint32(at, HOST_IS_LITTLE_ENDIAN)
}

function endAttributes({ name, mtuBytes }: Omit<VethEnd, 'namespace'>): readonly Attribute[] {
  return [attribute.text(IFLA_IFNAME, name), attribute.u32(IFLA_MTU, mtuBytes)]
}

/** VETH_INFO_PEER contains a link message without a header: the structure, then the attributes. */
function vethPeer(far: VethEnd): Attribute {
  const namespace = far.namespace === undefined ? [] : [attribute.namespaceFd(IFLA_NET_NS_FD, far.namespace)]
  return attribute.struct(VETH_INFO_PEER, ifinfomsg(far.index), [...endAttributes(far), ...namespace])
}

/** struct ifinfomsg. The kernel sets `flags` and leaves all other flags unchanged. */
function ifinfomsg(index: number, flags = 0): Uint8Array {
  const bytes = new Uint8Array(IFINFOMSG_BYTES)
  const view = viewOf(bytes)
  view.setInt32(4, index, HOST_IS_LITTLE_ENDIAN)
  view.setUint32(8, flags, HOST_IS_LITTLE_ENDIAN)
  view.setUint32(12, flags, HOST_IS_LITTLE_ENDIAN)
  return bytes
}

function indexOf(link: LinkRef): number {
  return 'index' in link ? link.index : 0
}

function nameOf(link: LinkRef): readonly Attribute[] {
  return 'name' in link ? [attribute.text(IFLA_IFNAME, link.name)] : []
}
