/**
 * From an intent to the objects that it takes. Pure: the same intent gives the same objects, after every restart.
 *
 *     client     server
 *     local      local       one veth pair, straight between the two namespaces
 *     local      remote      TUN or TAP <id>:c, tunnel port <id>:s, joined by wire <id>
 *     remote     local       tunnel port <id>:c, TUN or TAP <id>:s, joined
 *     remote     remote      two tunnel ports, joined (transit)
 */
import type { IntentEnd, LocalEnd, RemoteEnd, WireIntent } from '../api/index.ts'
import { type DevicePortSpec, type PortSpec, portId } from '../dataplane/index.ts'
import type { LinkSpec } from '../platform/index.ts'
import { type Desired, want } from '../reconcile/index.ts'
import { keyBytes } from '../tunnel/index.ts'
import type { WireKinds } from './kinds/index.ts'
import { linkAlias, type WireLink } from './kinds/link-kind.ts'
import { planLayer3 } from './plan-layer3.ts'
import { VXLAN_UNDERLAY, WIREGUARD_UNDERLAY } from './underlays.ts'

/** Numbers of the routing tables of each end's policies, in their order. */
export interface WireTables {
  readonly client: readonly number[]
  readonly server: readonly number[]
}

export type WireSide = 'client' | 'server'

interface Half<End extends IntentEnd> {
  readonly intent: WireIntent
  readonly side: WireSide
  readonly end: End
}

/** @throws {NsmError} `invalid_argument` for an address, route or policy that the kernel would not take */
export function planWire(kinds: WireKinds, intent: WireIntent, tables: WireTables): readonly Desired[] {
  const { client, server } = intent
  if (client.kind === 'local' && server.kind === 'local') {
    const ends = [linkSpec(intent, client), linkSpec(intent, server)] as const
    const origin = { kind: 'veth', ends } as const
    return [
      ...planWorkload(kinds, { intent, side: 'client', end: client, origin, far: server, tables: tables.client }),
      ...planWorkload(kinds, { intent, side: 'server', end: server, origin, far: client, tables: tables.server }),
    ]
  }
  const ports = [portId(intent.id, 'client'), portId(intent.id, 'server')] as const
  return [
    ...planEnd(kinds, { intent, side: 'client', end: client }, tables.client),
    ...planEnd(kinds, { intent, side: 'server', end: server }, tables.server),
    want(kinds.wire, { id: intent.id, ports }),
  ]
}

function planEnd(kinds: WireKinds, half: Half<IntentEnd>, tables: readonly number[]): readonly Desired[] {
  const { intent, side, end } = half
  if (end.kind !== 'local') return [want(kinds.port, tunnelPort({ intent, side, end }))]
  const port = devicePort({ intent, side, end })
  const origin = { kind: 'device', port } as const
  return [want(kinds.port, port), ...planWorkload(kinds, { intent, side, end, origin, far: undefined, tables })]
}

interface Workload extends Half<LocalEnd> {
  readonly origin: WireLink['origin']
  /** The other end where it is on this node too. */
  readonly far: LocalEnd | undefined
  readonly tables: readonly number[]
}

function planWorkload(kinds: WireKinds, { intent, side, end, origin, far, tables }: Workload): readonly Desired[] {
  return [
    want(kinds.pin, { id: portId(intent.id, side), namespace: end.namespace }),
    want(kinds.link, { ...linkSpec(intent, end), origin }),
    ...planLayer3(kinds, end, { farAddresses: far?.addresses ?? [], tables }),
  ]
}

function linkSpec({ id, mtuBytes }: WireIntent, { namespace, interfaceName }: LocalEnd): LinkSpec {
  return { namespace, name: interfaceName, alias: linkAlias(id), mtuBytes }
}

/** VXLAN carries Ethernet frames, whatever is in them. */
function devicePort({ intent, side, end }: Half<LocalEnd>): DevicePortSpec {
  const far = side === 'client' ? intent.server : intent.client
  const kind = intent.payload === 'ETHERNET' || far.kind === 'vxlan' ? 'tap' : 'tun'
  return { id: portId(intent.id, side), kind, namespace: end.namespace, interfaceName: end.interfaceName }
}

/** Where the far side is the endpoint's, the near side is the client's, and the other way round. */
function tunnelPort({ intent, side, end }: Half<RemoteEnd>): PortSpec {
  const common = { id: portId(intent.id, side), peerEndpoint: end.peer, mtuBytes: intent.mtuBytes }
  if (end.kind === 'vxlan') return { ...common, kind: 'vxlan', underlay: VXLAN_UNDERLAY, vni: end.vni }
  const [local, remote] = prefixesOf(intent, side)
  return {
    ...common,
    kind: 'wireguard',
    underlay: WIREGUARD_UNDERLAY,
    privateKey: keyBytes(end.privateKey),
    peerResponderKey: keyBytes(end.peerResponderKey),
    peerInitiatorKey: keyBytes(end.peerInitiatorKey),
    aead: end.aead,
    roaming: end.roaming,
    payload: intent.payload,
    localPrefixes: local,
    remotePrefixes: remote,
    keepaliveSeconds: end.keepaliveSeconds,
    pathMessages: end.pathMessages,
  }
}

/** Those of this side and of the far side that packets are held to. */
function prefixesOf({ payload, clientPrefixes, serverPrefixes }: WireIntent, side: WireSide) {
  if (payload === 'ETHERNET') return [[], []] as const
  return side === 'server' ? ([clientPrefixes, serverPrefixes] as const) : ([serverPrefixes, clientPrefixes] as const)
}
