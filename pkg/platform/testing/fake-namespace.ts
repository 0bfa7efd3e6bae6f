/** The objects of one namespace of the fake kernel, and what the kernel does by itself when a link changes. */
import { NsmError } from '../../base/index.ts'
import type { AddressSpec, FoundAddress, Link, NeighbourSpec, RouteSpec, RuleSpec } from '../doors.ts'

export interface FakeLink {
  index: number
  readonly name: string
  readonly kind: string
  alias: string
  mtuBytes: number
  isUp: boolean
  mac: string
  checksSources: boolean
  checksIpv6Sources: boolean
  /** The other end of a veth pair. */
  peer: { readonly namespace: FakeNamespace; readonly link: FakeLink } | undefined
}

export class FakeNamespace {
  readonly id: string
  readonly links = new Map<string, FakeLink>()
  addresses: FoundAddress[] = []
  routes: RouteSpec[] = []
  rules: RuleSpec[] = []
  neighbours: NeighbourSpec[] = []
  #nextIndex = 1

  constructor(id: string) {
    this.id = id
  }

  /** @throws {NsmError} `already_exists` */
  addLink(name: string, kind: string): FakeLink {
    if (this.links.has(name)) {
      throw new NsmError('already_exists', 'Cannot create the link: its name is in use', {
        fields: { namespace: this.id, link: name },
      })
    }
    const index = this.#nextIndex++
    const mac = kind === 'tun' ? '' : `02:00:00:00:${hexByte(index >> 8)}:${hexByte(index)}`
    const link: FakeLink = {
      index,
      name,
      kind,
      alias: '',
      mtuBytes: 1500,
      isUp: false,
      mac,
      checksSources: false,
      checksIpv6Sources: false,
      peer: undefined,
    }
    this.links.set(name, link)
    return link
  }

  /** @throws {NsmError} `not_found` */
  link(name: string): FakeLink {
    const link = this.links.get(name)
    if (link !== undefined) return link
    throw new NsmError('not_found', 'Cannot find the link: the namespace has none with this name', {
      fields: { namespace: this.id, link: name },
    })
  }

  /** Removes the link, its veth peer, and all objects that refer to either. */
  removeLink(name: string): void {
    const link = this.links.get(name)
    if (link === undefined) return
    this.links.delete(name)
    this.addresses = this.addresses.filter((address) => address.link !== name)
    this.#flush(name)
    link.peer?.namespace.removeLink(link.peer.link.name)
  }

  /** When a link goes down, the kernel removes its routes, neighbours and IPv6 addresses; IPv4 addresses stay. */
  setDown(name: string): void {
    this.link(name).isUp = false
    this.addresses = this.addresses.filter(({ link, address }) => link !== name || !address.includes(':'))
    this.#flush(name)
  }

  /** When a link loses its last IPv4 address, the kernel disables IPv4 on it and removes its IPv4 routes. */
  removeAddress(spec: AddressSpec): void {
    const isIpv4 = ({ link, address }: AddressSpec) => link === spec.link && !address.includes(':')
    const had = this.addresses.some(isIpv4)
    this.addresses = this.addresses.filter(({ link, address }) => link !== spec.link || address !== spec.address)
    if (!had || this.addresses.some(isIpv4)) return
    this.routes = this.routes.filter(({ link, prefix }) => link !== spec.link || prefix.includes(':'))
  }

  isOurs(linkName: string): boolean {
    return this.links.get(linkName)?.alias.startsWith('nsm:') === true
  }

  #flush(linkName: string): void {
    this.routes = this.routes.filter(({ link }) => link !== linkName)
    this.neighbours = this.neighbours.filter(({ link }) => link !== linkName)
  }
}

export function toLink({ peer: _, ...link }: FakeLink): Link {
  return link
}

function hexByte(value: number): string {
  return (value & 0xff).toString(16).padStart(2, '0')
}
