import {
  type ConnectionContext,
  type ExtraPrefixRequest,
  emptyContext,
  emptyIpContext,
  type IpContext,
  type PolicyRoute,
  type Route,
} from '../connection-context.ts'
import * as proto from '../gen/connectioncontext/connectioncontext.ts'
import { entries, labels, list, literal, text } from './field-checks.ts'

export function contextFromProto(context: proto.ConnectionContext | undefined, at: string): ConnectionContext {
  if (context === undefined) return emptyContext
  const { ethernetContext: ethernet } = context
  return {
    ip: ipFromProto(context.ipContext, `${at}.ip_context`),
    dnsConfigs: list(context.dnsContext?.configs ?? [], `${at}.dns_context.configs`, dnsFromProto),
    ethernet: ethernet && {
      srcMac: text(ethernet.srcMac, `${at}.ethernet_context.src_mac`),
      dstMac: text(ethernet.dstMac, `${at}.ethernet_context.dst_mac`),
      vlanTag: ethernet.vlanTag,
    },
    extra: labels(context.extraContext, `${at}.extra_context`),
    mtuBytes: context.MTU,
  }
}

export function contextToProto(context: ConnectionContext): proto.ConnectionContext {
  return {
    ipContext: ipToProto(context.ip),
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

function ipFromProto(ip: proto.IPContext | undefined, at: string): IpContext {
  if (ip === undefined) return emptyIpContext
  return {
    srcIpAddrs: list(ip.srcIpAddrs, `${at}.src_ip_addrs`, text),
    dstIpAddrs: list(ip.dstIpAddrs, `${at}.dst_ip_addrs`, text),
    srcIpRequired: ip.srcIpRequired,
    dstIpRequired: ip.dstIpRequired,
    srcRoutes: list(ip.srcRoutes, `${at}.src_routes`, routeFromProto),
    dstRoutes: list(ip.dstRoutes, `${at}.dst_routes`, routeFromProto),
    excludedPrefixes: list(ip.excludedPrefixes, `${at}.excluded_prefixes`, text),
    ipNeighbors: list(ip.ipNeighbors, `${at}.ip_neighbors`, (neighbor, field) => ({
      ip: text(neighbor.ip, `${field}.ip`),
      hardwareAddress: text(neighbor.hardwareAddress, `${field}.hardware_address`),
    })),
    extraPrefixRequests: list(ip.extraPrefixRequest, `${at}.extra_prefix_request`, extraPrefixFromProto),
    extraPrefixes: list(ip.extraPrefixes, `${at}.extra_prefixes`, text),
    policies: list(ip.policies, `${at}.policies`, policyFromProto),
  }
}

function ipToProto(ip: IpContext): proto.IPContext {
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
      addrFamily: { family: proto.IpFamily_Family[request.family] },
      prefixLen: request.prefixLength,
      requiredNumber: request.requiredNumber,
      requestedNumber: request.requestedNumber,
    })),
    extraPrefixes: [...ip.extraPrefixes],
    policies: ip.policies.map((policy) => ({ ...policy, routes: [...policy.routes] })),
  }
}

function routeFromProto(route: proto.Route, at: string): Route {
  return { prefix: text(route.prefix, `${at}.prefix`), nextHop: text(route.nextHop, `${at}.nextHop`) }
}

function policyFromProto(policy: proto.PolicyRoute, at: string): PolicyRoute {
  return {
    from: text(policy.from, `${at}.from`),
    proto: text(policy.proto, `${at}.proto`),
    dstPort: text(policy.dstPort, `${at}.dst_port`),
    srcPort: text(policy.srcPort, `${at}.src_port`),
    routes: list(policy.routes, `${at}.routes`, routeFromProto),
  }
}

function extraPrefixFromProto(request: proto.ExtraPrefixRequest, at: string): ExtraPrefixRequest {
  const family = request.addrFamily?.family ?? proto.IpFamily_Family.IPV4
  return {
    family: literal(family, `${at}.addr_family.family`, proto.IpFamily_Family),
    prefixLength: request.prefixLen,
    requiredNumber: request.requiredNumber,
    requestedNumber: request.requestedNumber,
  }
}

function dnsFromProto(dns: proto.DNSConfig, at: string) {
  return {
    dnsServerIps: list(dns.dnsServerIps, `${at}.dns_server_ips`, text),
    searchDomains: list(dns.searchDomains, `${at}.search_domains`, text),
  }
}
