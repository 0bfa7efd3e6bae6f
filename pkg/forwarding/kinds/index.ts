import type { Dataplane } from '../../dataplane/index.ts'
import type { FoundAddress, Platform } from '../../platform/index.ts'
import type { AnyKind } from '../../reconcile/index.ts'
import { crossConnectKind } from './cross-connect-kind.ts'
import { DevicePorts } from './device-ports.ts'
import { linkKind } from './link-kind.ts'
import { listedKind } from './listed-kind.ts'
import { pinKind } from './pin-kind.ts'
import { portKind } from './port-kind.ts'

/** Every kind of object that a wire is made of. */
export type WireKinds = ReturnType<typeof wireKinds>

export function wireKinds(platform: Platform, dataplane: Dataplane) {
  const devices = new DevicePorts(dataplane)
  return {
    pin: pinKind(platform.namespaces),
    port: portKind(dataplane, devices),
    link: linkKind(platform.links, devices),
    address: listedKind<FoundAddress>('address', platform.addresses, ({ link, address }) => `${address} ${link}`),
    route: listedKind('route', platform.routes, (r) => `${r.prefix} ${r.via ?? 'link'} ${r.link} ${r.table}`),
    rule: listedKind('rule', platform.rules, (r) => `${r.from} ${r.proto} ${r.dstPort} ${r.srcPort} ${r.table}`),
    crossConnect: crossConnectKind(dataplane),
  }
}

export function inOrder({ pin, port, link, address, route, rule, crossConnect }: WireKinds): readonly AnyKind[] {
  return [pin, port, link, address, route, rule, crossConnect]
}
