/**
 * Doors to the operating system, implemented by linux/ (rtnetlink, carried into namespaces by the holder) and fake/
 * (in memory, writes an `ip` transcript). A namespace is `inode://<dev>/<ino>` or {@link NODE}, the node's own.
 * What is listed is spelled canonically: prefixes without host bits, ports `80` or `6667-6670`, protocols by name.
 * All are idempotent: to create what is there as wanted, or to remove what is gone, succeeds.
 */
export const NODE = 'node'
export type Namespace = string

export interface Link {
  readonly index: number
  readonly name: string
  /** `veth`, `tun`, `vxlan`, ... as the kernel calls it; empty for hardware. */
  readonly kind: string
  /** ifalias; ours is `nsm:<owner>`. */
  readonly alias: string
  readonly mtuBytes: number
  readonly isUp: boolean
  readonly mac: string
}

export interface LinkSpec {
  readonly namespace: Namespace
  readonly name: string
  readonly alias: string
  readonly mtuBytes: number
}

export interface Links {
  /** Links that carry our alias. */
  list(namespace: Namespace, signal: AbortSignal): Promise<readonly Link[]>
  /** Makes a veth pair with each end, named, marked, sized and up, in its namespace. @throws {NsmError} `already_exists` when a name is taken. */
  createVeth(ends: readonly [LinkSpec, LinkSpec], signal: AbortSignal): Promise<void>
  /** Marks, sizes and raises a link that exists (a TUN device of the dataplane). @throws {NsmError} `not_found` */
  configure(spec: LinkSpec, signal: AbortSignal): Promise<void>
  /** Leaves alone what does not carry our alias. */
  remove(namespace: Namespace, name: string, signal: AbortSignal): Promise<void>
}

export interface AddressSpec {
  readonly namespace: Namespace
  readonly link: string
  /** CIDR, `172.16.1.101/32` */
  readonly address: string
}

export interface Addresses {
  /** Addresses of the links that carry our alias. */
  list(namespace: Namespace, signal: AbortSignal): Promise<readonly AddressSpec[]>
  add(spec: AddressSpec, signal: AbortSignal): Promise<void>
  remove(spec: AddressSpec, signal: AbortSignal): Promise<void>
}

export interface RouteSpec {
  readonly namespace: Namespace
  readonly link: string
  readonly prefix: string
  /** Undefined: directly on the link. */
  readonly via: string | undefined
  /** 254 is the main table. */
  readonly table: number
}

export interface Routes {
  /** Routes that carry our own route protocol number, over links that carry our alias. */
  list(namespace: Namespace, signal: AbortSignal): Promise<readonly RouteSpec[]>
  /** @throws {NsmError} `already_exists` when the table has another route to this prefix, also one that is not ours */
  add(spec: RouteSpec, signal: AbortSignal): Promise<void>
  remove(spec: RouteSpec, signal: AbortSignal): Promise<void>
}

export interface RuleSpec {
  readonly namespace: Namespace
  /** CIDR; `0.0.0.0/0` or `::/0` is any of the family. */
  readonly from: string
  /** `tcp`, `udp`, a number, or empty. */
  readonly proto: string
  /** `80`, `6667-6670`, or empty. */
  readonly dstPort: string
  readonly srcPort: string
  readonly table: number
}

export interface Rules {
  /** Rules that carry our own route protocol number. The kernel tries them in the order they were added. */
  list(namespace: Namespace, signal: AbortSignal): Promise<readonly RuleSpec[]>
  add(spec: RuleSpec, signal: AbortSignal): Promise<void>
  remove(spec: RuleSpec, signal: AbortSignal): Promise<void>
}

export interface NeighbourSpec {
  readonly namespace: Namespace
  readonly link: string
  readonly ip: string
  readonly mac: string
}

export interface Neighbours {
  /** Permanent entries on links that carry our alias. */
  list(namespace: Namespace, signal: AbortSignal): Promise<readonly NeighbourSpec[]>
  add(spec: NeighbourSpec, signal: AbortSignal): Promise<void>
  remove(spec: NeighbourSpec, signal: AbortSignal): Promise<void>
}

export interface NamespacePin {
  /** Our id of the pin: the owner's. */
  readonly id: string
  readonly namespace: Namespace
}

/** Namespaces stay reachable while they are pinned, also when the process that showed them is gone. */
export interface Namespaces {
  list(signal: AbortSignal): Promise<readonly NamespacePin[]>
  /** @throws {NsmError} `not_found` when no local client shows this namespace */
  pin(pin: NamespacePin, signal: AbortSignal): Promise<void>
  unpin(id: string, signal: AbortSignal): Promise<void>
  /** Calls back when a link, address, route or rule changed in a pinned namespace. Returns how to stop. */
  watch(onChange: (namespace: Namespace) => void): () => void
}

export interface Platform {
  readonly links: Links
  readonly addresses: Addresses
  readonly routes: Routes
  readonly rules: Rules
  readonly neighbours: Neighbours
  readonly namespaces: Namespaces
}
