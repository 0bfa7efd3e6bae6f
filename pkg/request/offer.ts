/** What this node offers the next hop, and the end that comes of the answer. */
import { type Connection, type Mechanism, PAYLOAD_ETHERNET, type Payload } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import {
  type AgreedEnd,
  available,
  type End,
  isForOursAlone,
  LOCAL,
  mechanisms,
  type Proposal,
  REMOTE,
  readMtu,
  type Wanted,
} from '../mechanism/index.ts'
import type { Hop, Self } from './parts.ts'
import type { Chosen } from './select-endpoint.ts'

/** What the next hop may choose from, and what follows from its choice. */
export interface Offer {
  readonly preferences: readonly Mechanism[]
  /** The limit of the first preference. */
  readonly maxMtuBytes: number | undefined
  /** @throws {NsmError} when the answer cannot be joined */
  join(answer: Connection): AgreedEnd<End>
  /** Another offer, if the answer shows that this one does not suit the peer. */
  instead(answer: Connection): Offer | undefined
}

/** All mechanisms that this node has for a workload, or for another node. */
export function offerTo(
  self: Self,
  { target, payload, standing }: Pick<Chosen, 'target' | 'payload' | 'standing'>,
  { namespace }: Hop,
): Offer {
  const wanted: Wanted = {
    host: self,
    before: { mechanism: standing?.outgoing.mechanism, wireKey: standing?.serverKey },
    namespace,
    payload,
  }
  const kinds = available(target.at === 'endpoint' ? LOCAL : REMOTE, self.tunnel)
  return toOffer(
    kinds.map((kind) => kind.offer(wanted)),
    payload,
  )
}

function toOffer(proposals: readonly Proposal<End>[], payload: Payload): Offer {
  const offered = proposals.map(({ mechanism }) => mechanism)
  // A foreign node takes the first that it knows.
  const preferences = [...offered.filter((each) => !isForOursAlone(each)), ...offered.filter(isForOursAlone)]
  const answered = ({ mechanism }: Connection) => proposals.find((each) => each.mechanism.type === mechanism?.type)
  return {
    preferences,
    maxMtuBytes: readMtu(preferences[0]?.parameters ?? {}),
    join(answer) {
      const end = answer.mechanism && answered(answer)?.join(answer.mechanism, answer.networkService)
      if (end === undefined) throw refusedMechanism(answer.mechanism)
      if (payload === PAYLOAD_ETHERNET && (end.payload ?? payload) !== payload) throw refusedFrames(answer.mechanism)
      return end
    },
    instead(answer) {
      const proposal = answered(answer)
      const better = answer.mechanism && proposal?.instead?.(answer.mechanism)
      if (better === undefined) return undefined
      return toOffer(
        proposals.map((each) => (each === proposal ? better : each)),
        payload,
      )
    },
  }
}

function refusedMechanism(mechanism: Mechanism | undefined): NsmError {
  return new NsmError('failed_precondition', 'Cannot join the endpoint: it chose a mechanism that was not offered', {
    fields: { mechanism: nameOf(mechanism) },
  })
}

function refusedFrames(mechanism: Mechanism | undefined): NsmError {
  const others = mechanisms.flatMap(({ payloads, toAllow }) =>
    payloads.includes(PAYLOAD_ETHERNET) ? (toAllow ?? []) : [],
  )
  return new NsmError('failed_precondition', 'Cannot carry Ethernet frames: the other node takes only IP packets', {
    fields: { mechanism: nameOf(mechanism) },
    next: ['register the network service with payload IP', ...others].join(', or '),
  })
}

function nameOf(mechanism: Mechanism | undefined): string {
  return mechanism === undefined ? 'none' : `${mechanism.cls}/${mechanism.type}`
}
