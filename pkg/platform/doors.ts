/**
 * The doors to the operating system. linux/ implements them with rtnetlink messages, which the holder carries into the
 * namespaces; testing/ implements them in memory and writes an `ip` transcript. A namespace is `inode://<dev>/<ino>`,
 * or {@link NODE} for that of the node. Lists are in canonical form: prefixes without host bits, ports as `80` or
 * `6667-6670`, protocols by name. All operations are idempotent: creating an object that exists as desired succeeds,
 * and so does removing one that does not exist.
 */
export const NODE = 'node'
export type Namespace = string

export interface Link {
  readonly index: number
  readonly name: string
  /** The kind as the kernel calls it: `veth`, `tun` and so on; empty for hardware. */
  readonly kind: string
  /** The ifalias, which is `nsm:<owner>` for our links. */
  readonly alias: string
  readonly mtuBytes: number
  readonly isUp: boolean
  readonly mac: string
  /** See {@link LinkSpec.checksSources}. */
  readonly checksSources: boolean
  readonly checksIpv6Sources: boolean
}

export interface LinkSpec {
  readonly namespace: Namespace
  readonly name: string
  readonly alias: string
  readonly mtuBytes: number
  /** Whether the namespace drops IPv4 packets that arrive from sources to which it has no route by this link. */
  readonly checksSources?: boolean
  /** The same for IPv6, which takes nf_tables: without it, nothing is checked. */
  readonly checksIpv6Sources?: boolean
}

export interface Links {
  /** Lists the links with our alias. */
  list(namespace: Namespace, signal: AbortSignal): Promise<readonly Link[]>
  /**
   * Creates a veth pair with each end in its namespace, configured and up.
   * @throws {NsmError} `already_exists` when a name is in use
   */
  createVeth(ends: readonly [LinkSpec, LinkSpec], signal: AbortSignal): Promise<void>
  /**
   * Sets alias and MTU of an existing link (a TUN device of the dataplane), and sets it up.
   * @throws {NsmError} `not_found`
   */
  configure(spec: LinkSpec, signal: AbortSignal): Promise<void>
  /** Does not touch a link without our alias. */
  remove(namespace: Namespace, name: string, signal: AbortSignal): Promise<void>
}

export interface AddressSpec {
  readonly namespace: Namespace
  readonly link: string
  /** A CIDR such as `172.16.1.101/32`. */
  readonly address: string
}

export interface FoundAddress extends AddressSpec {
  /** Whether it lacks our mark: workloads give addresses of their own to the links of their wires. */
  readonly isForeign?: true
}

export interface Addresses {
  /** Lists the addresses of links with our alias, without those that the kernel has given them. */
  list(namespace: Namespace, signal: AbortSignal): Promise<readonly FoundAddress[]>
  add(spec: AddressSpec, signal: AbortSignal): Promise<void>
  remove(spec: AddressSpec, signal: AbortSignal): Promise<void>
}

export interface RouteSpec {
  readonly namespace: Namespace
  readonly link: string
  readonly prefix: string
  /** The gateway; undefined for a destination that is directly on the link. */
  readonly via: string | undefined
  /** 254 is the main table. */
  readonly table: number
}

export interface Routes {
  /** Lists the routes with our protocol number on links with our alias. */
  list(namespace: Namespace, signal: AbortSignal): Promise<readonly RouteSpec[]>
  /** @throws {NsmError} `already_exists` when the table has another route to this prefix, even one that is not ours */
  add(spec: RouteSpec, signal: AbortSignal): Promise<void>
  remove(spec: RouteSpec, signal: AbortSignal): Promise<void>
}

export interface RuleSpec {
  readonly namespace: Namespace
  /** The source prefix as a CIDR; `0.0.0.0/0` or `::/0` matches all sources of the family. */
  readonly from: string
  /** `tcp`, `udp`, a number, or empty for any protocol. */
  readonly proto: string
  /** `80`, `6667-6670`, or empty for any port. */
  readonly dstPort: string
  readonly srcPort: string
  readonly table: number
}

export interface Rules {
  /** Lists the rules with our protocol number. The kernel evaluates them in the order in which they were added. */
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
  /** Lists the permanent entries on links with our alias. */
  list(namespace: Namespace, signal: AbortSignal): Promise<readonly NeighbourSpec[]>
  add(spec: NeighbourSpec, signal: AbortSignal): Promise<void>
  remove(spec: NeighbourSpec, signal: AbortSignal): Promise<void>
}

/** What a pod has without us: an address of its own, or a gateway of its routes. Loopback and link-local are left out. */
export interface Bystander {
  readonly ip: string
  readonly role: 'address' | 'gateway'
}

export interface Bystanders {
  list(namespace: Namespace, signal: AbortSignal): Promise<readonly Bystander[]>
}

export interface NamespacePin {
  /** The id of the pin, which is the id of its owner. */
  readonly id: string
  readonly namespace: Namespace
}

/** A pinned namespace stays reachable, even after the process through which the holder found it has ended. */
export interface Namespaces {
  list(signal: AbortSignal): Promise<readonly NamespacePin[]>
  /** @throws {NsmError} `not_found` when no local client is in this namespace */
  pin(pin: NamespacePin, signal: AbortSignal): Promise<void>
  unpin(id: string, signal: AbortSignal): Promise<void>
  /**
   * Calls `onChange` after each change of an object of ours in a pinned namespace, ours or not; without a change where
   * any object may have changed. The returned function ends the watch.
   */
  watch(onChange: OnChange): () => void
}

/** What an event tells of an object with our mark: how it is now, or how it was when it went. */
export type Change =
  | { readonly of: 'link'; readonly spec: Link; readonly isGone: boolean }
  | { readonly of: 'address'; readonly spec: FoundAddress; readonly isGone: boolean }
  | { readonly of: 'route'; readonly spec: RouteSpec; readonly isGone: boolean }
  | { readonly of: 'rule'; readonly spec: RuleSpec; readonly isGone: boolean }

export type OnChange = (namespace: Namespace, change?: Change) => void

export interface Platform {
  readonly links: Links
  readonly addresses: Addresses
  readonly routes: Routes
  readonly rules: Rules
  readonly neighbours: Neighbours
  readonly bystanders: Bystanders
  readonly namespaces: Namespaces
}
