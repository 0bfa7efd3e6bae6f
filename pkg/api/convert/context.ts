import {
  type ConnectionContext,
  type ExtraPrefixRequest,
  emptyContext,
  emptyIpContext,
  type IpContext,
  type PolicyRoute,
  type Route,
} from '../connection-context.ts'
import * as wire from '../gen/connectioncontext/connectioncontext.ts'
import { entries, labels, list, literal, text } from './border.ts'

export function contextFromWire(context: wire.ConnectionContext | undefined, at: string): ConnectionContext {
  if (context === undefined) return emptyContext
  const { ethernetContext: ethernet } = context
  return {
    ip: ipFromWire(context.ipContext, `${at}.ip_context`),
    dnsConfigs: list(context.dnsContext?.configs ?? [], `${at}.dns_context.configs`, dnsFromWire),
    ethernet: ethernet && {
      srcMac: text(ethernet.srcMac, `${at}.ethernet_context.src_mac`),
      dstMac: text(ethernet.dstMac, `${at}.ethernet_context.dst_mac`),
      vlanTag: ethernet.vlanTag,
    },
    extra: labels(context.extraContext, `${at}.extra_context`),
    mtuBytes: context.MTU,
  }
}

export function contextToWire(context: ConnectionContext): wire.ConnectionContext {
  return {
    ipContext: ipToWire(context.ip),
    dnsContext: {
      configs: context.dnsConfigs.map((dns) => ({
        dnsServerIps: [...dns.dnsServerIps],
        searchDomains: [...dns.searchDomains],
      })),
    },
    ethernetContext: context.ethernet,
    extraContext: entries(context.extra),
    MTU: context.mtuBytes,
  }
}

function ipFromWire(ip: wire.IPContext | undefined, at: string): IpContext {
  if (ip === undefined) return emptyIpContext
  return {
    srcIpAddrs: list(ip.srcIpAddrs, `${at}.src_ip_addrs`, text),
    dstIpAddrs: list(ip.dstIpAddrs, `${at}.dst_ip_addrs`, text),
    srcIpRequired: ip.srcIpRequired,
    dstIpRequired: ip.dstIpRequired,
    srcRoutes: list(ip.srcRoutes, `${at}.src_routes`, routeFromWire),
    dstRoutes: list(ip.dstRoutes, `${at}.dst_routes`, routeFromWire),
    excludedPrefixes: list(ip.excludedPrefixes, `${at}.excluded_prefixes`, text),
    ipNeighbors: list(ip.ipNeighbors, `${at}.ip_neighbors`, (neighbor, field) => ({
      ip: text(neighbor.ip, `${field}.ip`),
      hardwareAddress: text(neighbor.hardwareAddress, `${field}.hardware_address`),
    })),
    extraPrefixRequests: list(ip.extraPrefixRequest, `${at}.extra_prefix_request`, extraPrefixFromWire),
    extraPrefixes: list(ip.extraPrefixes, `${at}.extra_prefixes`, text),
    policies: list(ip.policies, `${at}.policies`, policyFromWire),
  }
}

function ipToWire(ip: IpContext): wire.IPContext {
  return {
    srcIpAddrs: [...ip.srcIpAddrs],
    dstIpAddrs: [...ip.dstIpAddrs],
    srcIpRequired: ip.srcIpRequired,
    dstIpRequired: ip.dstIpRequired,
    srcRoutes: [...ip.srcRoutes],
    dstRoutes: [...ip.dstRoutes],
    excludedPrefixes: [...ip.excludedPrefixes],
    ipNeighbors: [...ip.ipNeighbors],
    extraPrefixRequest: ip.extraPrefixRequests.map((request) => ({
      addrFamily: { family: wire.IpFamily_Family[request.family] },
      prefixLen: request.prefixLength,
      requiredNumber: request.requiredNumber,
      requestedNumber: request.requestedNumber,
    })),
    extraPrefixes: [...ip.extraPrefixes],
    policies: ip.policies.map((policy) => ({ ...policy, routes: [...policy.routes] })),
  }
}

function routeFromWire(route: wire.Route, at: string): Route {
  return { prefix: text(route.prefix, `${at}.prefix`), nextHop: text(route.nextHop, `${at}.nextHop`) }
}

function policyFromWire(policy: wire.PolicyRoute, at: string): PolicyRoute {
  return {
    from: text(policy.from, `${at}.from`),
    proto: text(policy.proto, `${at}.proto`),
    dstPort: text(policy.dstPort, `${at}.dst_port`),
    srcPort: text(policy.srcPort, `${at}.src_port`),
    routes: list(policy.routes, `${at}.routes`, routeFromWire),
  }
}

function extraPrefixFromWire(request: wire.ExtraPrefixRequest, at: string): ExtraPrefixRequest {
  const family = request.addrFamily?.family ?? wire.IpFamily_Family.IPV4
  return {
    family: literal(family, `${at}.addr_family.family`, wire.IpFamily_Family),
    prefixLength: request.prefixLen,
    requiredNumber: request.requiredNumber,
    requestedNumber: request.requestedNumber,
  }
}

function dnsFromWire(dns: wire.DNSConfig, at: string) {
  return {
    dnsServerIps: list(dns.dnsServerIps, `${at}.dns_server_ips`, text),
    searchDomains: list(dns.searchDomains, `${at}.search_domains`, text),
  }
}
