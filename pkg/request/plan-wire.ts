/** From what was agreed to what the node must have: the intent of a wire. Pure. */
import { type ConnectionContext, PAYLOAD_ETHERNET, PAYLOAD_IP, type Payload, type Route } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import {
  type AgreedEnd,
  completeEnd,
  type End,
  LOCAL_MTU_BYTES,
  lowestMtuBytes,
  mechanisms,
  REMOTE,
  type WireIntent,
} from '../mechanism/index.ts'
import { contains, hostPrefix, overlaps, type Prefix, parseIp, parsePrefix } from '../net/index.ts'

const LEAST_MTU_BYTES = 576

/**
 * What no endpoint may give to a client or route into a wire: the machine's own loopback, link-local addresses (cloud
 * metadata, other links) and multicast. A wider prefix, such as the default route, leaves them where they are.
 */
const FORBIDDEN = ['127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '::1/128', 'fe80::/10', 'ff00::/8'].map(parsePrefix)

export interface Plan {
  readonly id: string
  readonly payload: Payload
  readonly context: ConnectionContext
  readonly client: AgreedEnd<End>
  readonly server: AgreedEnd<End>
  /** Address of the node in the network between nodes: to route it into a wire would cut the wire off. */
  readonly tunnelIp: string
}

/** @throws {NsmError} `invalid_argument` when the context holds what no wire may have. */
export function planWire({ id, payload, context, client, server, tunnelIp }: Plan): WireIntent {
  checkContext(context, parseIp(tunnelIp))
  const { ip } = context
  for (const end of [client, server]) checkPayload(payload, end)
  return {
    id,
    payload,
    mtuBytes: context.mtuBytes,
    client: completeEnd(client.end, context),
    server: completeEnd(server.end, context),
    clientPrefixes: [...ip.srcIpAddrs, ...ip.dstRoutes.map(({ prefix }) => prefix)],
    serverPrefixes: [...ip.dstIpAddrs, ...ip.srcRoutes.map(({ prefix }) => prefix)],
  }
}

/** The smallest of what anybody on the way allows; a wire that stays on its node is bound by nothing else. */
export function agreeMtu(mtuBytes: number, ...ends: readonly Pick<AgreedEnd, 'maxMtuBytes'>[]): number {
  return lowestMtuBytes(mtuBytes, ...ends.map(({ maxMtuBytes }) => maxMtuBytes)) ?? LOCAL_MTU_BYTES
}

/** What travels is the service's to say, and both ends must mean the same by it. */
function checkPayload(payload: Payload, { payload: agreed = payload }: AgreedEnd): void {
  if (agreed === payload) return
  if (payload === PAYLOAD_IP) {
    throw new NsmError('invalid_argument', 'Cannot carry IP packets: Ethernet frames were agreed for the tunnel', {
      next: 'leave the parameter payloads out, or register the network service with payload ETHERNET',
    })
  }
  throw new NsmError('invalid_argument', 'Cannot carry Ethernet frames: the mechanism is for IP packets', {
    next: `ask for ${carriersOfFrames()}, or register the network service with payload IP`,
  })
}

function carriersOfFrames(): string {
  const carriers = mechanisms.filter(({ cls, payloads }) => cls === REMOTE && payloads.includes(PAYLOAD_ETHERNET))
  return carriers.map(({ cls, type }) => `${cls}/${type}`).join(' or ')
}

function checkContext({ ip, mtuBytes }: ConnectionContext, tunnelIp: Uint8Array): void {
  if (mtuBytes < LEAST_MTU_BYTES) {
    throw new NsmError('invalid_argument', 'Cannot carry packets: the agreed MTU is too small', {
      fields: { mtuBytes },
    })
  }
  for (const address of [...ip.srcIpAddrs, ...ip.dstIpAddrs]) checkPrefix(address, parsePrefix(address))
  for (const route of [...ip.srcRoutes, ...ip.dstRoutes, ...ip.policies.flatMap(({ routes }) => routes)]) {
    checkRoute(route, tunnelIp)
  }
}

function checkRoute({ prefix, nextHop }: Route, tunnelIp: Uint8Array): void {
  const parsed = parsePrefix(prefix)
  checkPrefix(prefix, parsed)
  if (nextHop !== '') checkPrefix(nextHop, hostPrefix(nextHop))
  if (parsed.length > 0 && contains(parsed, tunnelIp)) refuse(prefix, 'it holds the address of the node')
}

function checkPrefix(text: string, prefix: Prefix): void {
  if (FORBIDDEN.some((forbidden) => forbidden.length <= prefix.length && overlaps(forbidden, prefix))) {
    refuse(text, 'it is loopback, link-local or multicast')
  }
}

function refuse(prefix: string, reason: string): never {
  throw new NsmError('invalid_argument', `Cannot put the prefix on a wire: ${reason}`, { fields: { prefix } })
}
