/**
 * The configuration that a connection gives to its two ends. `src` is always the client and `dst` the endpoint, also in
 * `srcRoutes` and `dstRoutes`. Addresses are CIDR strings.
 */
export interface Route {
  readonly prefix: string
  /** Empty when the next hop is the other end of the wire. */
  readonly nextHop: string
}

export interface PolicyRoute {
  readonly from: string
  readonly proto: string
  readonly dstPort: string
  readonly srcPort: string
  readonly routes: readonly Route[]
}

export interface ExtraPrefixRequest {
  readonly family: 'IPV4' | 'IPV6'
  readonly prefixLength: number
  readonly requiredNumber: number
  readonly requestedNumber: number
}

export interface IpContext {
  readonly srcIpAddrs: readonly string[]
  readonly dstIpAddrs: readonly string[]
  readonly srcIpRequired: boolean
  readonly dstIpRequired: boolean
  readonly srcRoutes: readonly Route[]
  readonly dstRoutes: readonly Route[]
  readonly excludedPrefixes: readonly string[]
  readonly ipNeighbors: readonly { readonly ip: string; readonly hardwareAddress: string }[]
  readonly extraPrefixRequests: readonly ExtraPrefixRequest[]
  readonly extraPrefixes: readonly string[]
  readonly policies: readonly PolicyRoute[]
}

export interface DnsConfig {
  readonly dnsServerIps: readonly string[]
  readonly searchDomains: readonly string[]
}

export interface EthernetContext {
  readonly srcMac: string
  readonly dstMac: string
  readonly vlanTag: number
}

export interface ConnectionContext {
  readonly ip: IpContext
  readonly dnsConfigs: readonly DnsConfig[]
  readonly ethernet: EthernetContext | undefined
  readonly extra: Readonly<Record<string, string>>
  /** 0 when not set. */
  readonly mtuBytes: number
}

export const emptyIpContext: IpContext = {
  srcIpAddrs: [],
  dstIpAddrs: [],
  srcIpRequired: false,
  dstIpRequired: false,
  srcRoutes: [],
  dstRoutes: [],
  excludedPrefixes: [],
  ipNeighbors: [],
  extraPrefixRequests: [],
  extraPrefixes: [],
  policies: [],
}

export const emptyContext: ConnectionContext = {
  ip: emptyIpContext,
  dnsConfigs: [],
  ethernet: undefined,
  extra: {},
  mtuBytes: 0,
}
