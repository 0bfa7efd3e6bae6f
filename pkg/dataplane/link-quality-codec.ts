import {
  Attributes,
  attributeType,
  type Message,
  malformedReply,
  pathState,
  readPeer,
  required,
} from '../netlink/index.ts'
import type { LinkQuality } from './door.ts'

const STATES = new Map([
  [pathState.pathUnknown, 'unknown'],
  [pathState.pathAlive, 'up'],
  [pathState.pathDead, 'down'],
] as const)

/** @throws {NsmError} `internal` for what the protocol does not allow */
export function decodeLinkQuality({ body }: Message): LinkQuality {
  const attributes = new Attributes(body)
  const u32 = (type: number) => required('link quality', type, attributes.u32(type))
  const u64 = (type: number) => required('link quality', type, attributes.u64(type))
  return {
    peer: readPeer(attributes),
    state: decodeState(attributes.u8(attributeType.pathState)),
    rttUs: u32(attributeType.pathRttUs),
    jitterUs: u32(attributeType.pathJitterUs),
    lossPpm: u32(attributeType.pathLossPpm),
    mtuBytes: u32(attributeType.mtuBytes),
    probes: u64(attributeType.pathProbes),
    lost: u64(attributeType.pathLost),
  }
}

function decodeState(state: number | undefined): LinkQuality['state'] {
  for (const [number, name] of STATES) if (number === state) return name
  throw malformedReply('link quality', attributeType.pathState)
}
