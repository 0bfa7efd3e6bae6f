import { Attributes, attributeType, type Message, pathState } from '../netlink/index.ts'
import type { PathStatus } from './door.ts'
import { malformedReply, required } from './malformed.ts'
import { decodeEndpoint } from './port-codec.ts'

const STATES = new Map([
  [pathState.pathUnknown, 'unknown'],
  [pathState.pathAlive, 'up'],
  [pathState.pathDead, 'down'],
] as const)

/** @throws {NsmError} `internal` for what the protocol does not allow */
export function decodePath({ body }: Message): PathStatus {
  const attributes = new Attributes(body)
  const u32 = (type: number) => required('path', type, attributes.u32(type))
  const u64 = (type: number) => required('path', type, attributes.u64(type))
  return {
    peer: decodeEndpoint(attributes),
    state: decodeState(attributes.u8(attributeType.pathState)),
    rttUs: u32(attributeType.pathRttUs),
    jitterUs: u32(attributeType.pathJitterUs),
    lossPpm: u32(attributeType.pathLossPpm),
    mtuBytes: u32(attributeType.mtuBytes),
    probes: u64(attributeType.pathProbes),
    lost: u64(attributeType.pathLost),
  }
}

function decodeState(state: number | undefined): PathStatus['state'] {
  for (const [number, name] of STATES) if (number === state) return name
  throw malformedReply('path', attributeType.pathState)
}
