/**
 * Asks the chosen endpoint, or the node where it lives. When a later step fails, the next hop is told to close: a
 * request that fails leaves nothing behind anywhere.
 */
import type { Connection, Labels, Mechanism, Path } from '../api/index.ts'
import {
  type Clock,
  describeError,
  isAway,
  type Logger,
  NsmError,
  type Step,
  splitName,
  within,
} from '../base/index.ts'
import type { Target } from '../connections/index.ts'
import type { AgreedEnd, End } from '../mechanism/index.ts'
import { COUNTED_FOR } from '../steps/index.ts'
import type { Leaving, Left } from './leaving.ts'
import type { Counted } from './limit-wires.ts'
import { type Offer, offerTo } from './offer.ts'
import type { Asking, Hop, NextHops, Self } from './parts.ts'
import { agreeMtu } from './plan-wire.ts'
import type { SelectedClientEnd } from './select-client-end.ts'
import type { Chosen } from './select-endpoint.ts'

const CLOSE_MS = 5_000

export interface Answered {
  /** What the next hop answered, in this node's view. */
  readonly answer: Connection
  readonly serverEnd: AgreedEnd<End>
  /** Who answered. */
  readonly answeredBy: string
}

export interface NextHopParts {
  readonly self: Self
  readonly nextHops: NextHops
  readonly leaving: Pick<Leaving, 'start' | 'cancel'>
  readonly clock: Clock
  readonly logger: Logger
}

type AskingAt = Asking & Counted & SelectedClientEnd & Chosen

export function callNextHop(parts: NextHopParts): Step<AskingAt, Answered, Connection> {
  return async function callNextHop(asking, next) {
    await parts.leaving.cancel(asking.connection.id, asking.target)
    const hop = await parts.nextHops.connect(asking.target, asking.signal)
    let offer = offerTo(parts.self, asking, hop)
    let answer = toNextHop(asking, offer)
    try {
      answer = await ask(hop, answer, { offer, asking })
      const better = offer.instead(answer)
      if (better !== undefined) {
        offer = better
        answer = await ask(hop, { ...answer, mechanism: undefined }, { offer, asking })
      }
      return await next({ answer, serverEnd: offer.join(answer), answeredBy: hop.spiffeId })
    } catch (error) {
      if (asking.standing === undefined) {
        const { connection, target, expiresMs } = asking
        const left = { id: connection.id, target, outgoing: answer, expiresMs }
        // A hop that gave no answer may have the connection all the same.
        if (isAway(error)) parts.leaving.start(left)
        else await closeNextHop(parts, hop, left)
      }
      throw error
    }
  }
}

async function ask(hop: Hop, connection: Connection, how: { offer: Offer; asking: AskingAt }): Promise<Connection> {
  const request = { connection, mechanismPreferences: how.offer.preferences }
  return checkAnswer(await hop.client.request(request, { signal: how.asking.signal }), connection)
}

/** Tells the next hop that the connection ends, and again when it is there if it does not answer now. */
export async function closeNextHop(
  { leaving, clock, logger }: Pick<NextHopParts, 'leaving' | 'clock' | 'logger'>,
  hop: Hop,
  left: Left,
): Promise<void> {
  const { outgoing } = left
  try {
    await within({ clock, ms: CLOSE_MS }, (signal) => hop.client.close(ourPartOf(outgoing), { signal }))
  } catch (error) {
    if (isAway(error)) return leaving.start(left)
    logger.warn('Cannot close the connection at the next hop: it will expire there', {
      connection: outgoing.id,
      error: describeError(error),
    })
  }
}

/** The path from here on: the tokens before ours may have expired, which is often why the connection ends. */
export function ourPartOf(asked: Connection): Connection {
  const { index, segments } = asked.path
  return { ...asked, path: { index: 0, segments: segments.slice(index) } }
}

/**
 * The path up to us as the caller gave it, and behind us as the next hop did: a caller that says how the path goes on
 * would name the connection of another client there, and one that leaves it out would get a second one.
 */
function pathFrom({ path: { index, segments } }: Connection, standing: AskingAt['standing']): Path {
  const outgoing = standing?.outgoing.path
  const behind = outgoing?.segments.slice(outgoing.index + 1) ?? []
  return { index, segments: [...segments.slice(0, index + 1), ...behind] }
}

/** With names as the next hop's domain spells them, and with what an earlier answer of that hop has settled. */
function toNextHop(asking: AskingAt, offer: Offer): Connection {
  const { connection, target, payload, clientEnd, standing } = asking
  const mtuBytes = agreeMtu(connection.context.mtuBytes, clientEnd, offer)
  return {
    ...connection,
    networkService: nameAt(target, connection.networkService),
    path: pathFrom(connection, standing),
    endpointName: splitName(target.endpoint).name,
    payload,
    mechanism: renew(standing?.outgoing.mechanism, offer),
    context: { ...connection.context, mtuBytes, extra: extraFor(asking) },
    state: 'UP',
  }
}

/** An endpoint takes the word of its own node; other nodes count for themselves. */
function extraFor({ connection, target, accounts: [client = ''] }: AskingAt): Labels {
  const { extra } = connection.context
  return target.at === 'endpoint' ? { ...extra, [COUNTED_FOR]: client } : extra
}

/** The mechanism that stands with that hop, with our own parameters as they are now: our configuration may have changed. */
function renew(standing: Mechanism | undefined, { preferences }: Offer): Mechanism | undefined {
  const own = preferences.find(({ type }) => type === standing?.type)
  if (standing === undefined || own === undefined) return standing
  return { ...standing, parameters: { ...standing.parameters, ...own.parameters } }
}

function nameAt(target: Target, name: string): string {
  return target.at === 'node' && target.domain !== '' ? splitName(name).name : name
}

/** Our own segment and those before it stay as we sent them; of the rest, the next hop knows best. */
function checkAnswer(answer: Connection, asked: Connection): Connection {
  const { index, segments } = asked.path
  const own = answer.path.segments[index]
  if (answer.id !== asked.id || answer.path.index !== index || own?.id !== asked.id) {
    throw new NsmError('internal', 'Cannot use the answer of the next hop: it is about another connection', {
      fields: { asked: asked.id, answered: answer.id },
    })
  }
  return { ...answer, path: { index, segments: [...segments.slice(0, index), ...answer.path.segments.slice(index)] } }
}
