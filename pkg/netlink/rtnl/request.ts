/** Common parts of rtnetlink requests. A request has no sequence number yet; the sender assigns it. */
import type { Attribute } from '../attribute.ts'
import { messageFlag, type OutgoingMessage } from '../message.ts'

export type RtnlRequest = Omit<OutgoingMessage, 'sequence'>

/** RTM_*: each kind of object has new, delete and get; links also have set. */
export const rtnlType = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  newNeighbour: 28,
  deleteNeighbour: 29,
  getNeighbour: 30,
  newRule: 32,
  deleteRule: 33,
  getRule: 34,
} as const

/** RTNLGRP_*: the multicast groups that can be watched. */
export const rtnlGroup = {
  link: 1,
  neighbour: 3,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv4Rule: 8,
  ipv6Address: 9,
  ipv6Route: 11,
  ipv6Rule: 19,
} as const

export const AF_UNSPEC = 0
export const AF_INET = 2
export const AF_INET6 = 10

/** The address family of an address of 4 or 16 bytes. */
export function addressFamily(address: Uint8Array): number {
  return address.length === 4 ? AF_INET : AF_INET6
}

export function create(request: Pick<RtnlRequest, 'type' | 'fixed' | 'attributes'>): RtnlRequest {
  const { request: ask, acknowledge, create: make, exclusive } = messageFlag
  return { ...request, flags: ask | acknowledge | make | exclusive }
}

export function change(request: Pick<RtnlRequest, 'type' | 'fixed' | 'attributes'>): RtnlRequest {
  return { ...request, flags: messageFlag.request | messageFlag.acknowledge }
}

export function dump(type: number, fixed: Uint8Array, attributes: readonly Attribute[] = []): RtnlRequest {
  return { type, flags: messageFlag.request | messageFlag.dump, fixed, attributes }
}
