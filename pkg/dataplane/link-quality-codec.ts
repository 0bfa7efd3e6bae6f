import {
  Attributes,
  attributeType,
  type Message,
  malformedReply,
  readPeer,
  required,
  verdict,
} from '../netlink/index.ts'
import type { LinkQuality } from './door.ts'

const STATES = new Map([
  [verdict.verdictUnknown, 'unknown'],
  [verdict.verdictUp, 'up'],
  [verdict.verdictDown, 'down'],
] as const)

/** @throws {NsmError} `internal` for what the protocol does not allow */
export function decodeLinkQuality({ body }: Message): LinkQuality {
  const attributes = new Attributes(body)
  const u32 = (type: number) => required('link quality', type, attributes.u32(type))
  const u64 = (type: number) => required('link quality', type, attributes.u64(type))
  return {
    peer: readPeer(attributes),
    state: decodeState(attributes.u8(attributeType.linkVerdict)),
    rttUs: u32(attributeType.rttUs),
    jitterUs: u32(attributeType.jitterUs),
    lossPpm: u32(attributeType.lossPpm),
    mtuBytes: u32(attributeType.mtuBytes),
    probes: u64(attributeType.probesSent),
    lost: u64(attributeType.probesLost),
  }
}

function decodeState(state: number | undefined): LinkQuality['state'] {
  for (const [number, name] of STATES) if (number === state) return name
  throw malformedReply('link quality', attributeType.linkVerdict)
}
