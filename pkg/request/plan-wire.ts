/** From what was agreed to what the node must have: the intent of a wire. Pure. */
import { type ConnectionContext, PAYLOAD_ETHERNET, PAYLOAD_IP, type Payload } from '../api/index.ts'
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
import { MAX_MTU_BYTES } from '../net/index.ts'
import { type Around, checkPrefixes } from './check-prefixes.ts'

const LEAST_MTU_BYTES = 576

export interface Plan extends Around {
  readonly id: string
  readonly payload: Payload
  readonly context: ConnectionContext
  readonly client: AgreedEnd<End>
  readonly server: AgreedEnd<End>
}

/** @throws {NsmError} `invalid_argument` when the context holds what no wire may have. */
export function planWire({ id, payload, context, client, server, ...around }: Plan): WireIntent {
  checkMtu(context)
  checkPrefixes(context.ip, around)
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

function checkMtu({ mtuBytes }: ConnectionContext): void {
  if (mtuBytes >= LEAST_MTU_BYTES && mtuBytes <= MAX_MTU_BYTES) return
  throw new NsmError('invalid_argument', 'Cannot carry packets: the agreed MTU is too small or too large', {
    fields: { mtuBytes },
  })
}
