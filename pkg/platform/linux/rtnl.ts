/**
 * rtnetlink as questions and answers: gives sequence numbers, sends several requests in one exchange, sorts the
 * kernel's messages by request and turns its refusals into errors. A namespace that is gone is empty: what is to be
 * removed there is removed.
 */
import { type ErrorFields, errorCode, NsmError } from '../../base/index.ts'
import {
  type Answer,
  answerError,
  encodeMessages,
  isGone,
  type Message,
  messageFlag,
  type RtnlRequest,
  type RtnlTransport,
  readAnswer,
} from '../../netlink/index.ts'
import { type Namespace, NODE } from '../doors.ts'

/** What one request got: messages, and how it ended. */
export interface Outcome {
  readonly messages: readonly Message[]
  readonly answer: Answer
}

/** Where, and what for: `Cannot <verb> <thing>` and values for the error. */
export interface RtnlContext {
  readonly namespace: Namespace
  readonly what: string
  readonly fields?: ErrorFields
  readonly signal: AbortSignal
}

/** A dump that is disturbed this often is busy with something else than us. */
const MAX_DUMPS = 8

export class Rtnl {
  readonly #transport: RtnlTransport

  constructor(transport: RtnlTransport) {
    this.#transport = transport
  }

  /** Puts each request in turn, also after one was refused; outcomes in the same order. */
  async ask(context: RtnlContext, requests: readonly RtnlRequest[]): Promise<readonly Outcome[]> {
    const { namespace, signal } = context
    const payload = encodeMessages(requests.map((request, index) => ({ ...request, sequence: index + 1 })))
    const target = namespace === NODE ? undefined : namespace
    const messages = await this.#transport.exchange({ namespace: target, ...payload }, signal)
    return requests.map((_, index) =>
      outcomeOf(
        messages.filter(({ sequence }) => sequence === index + 1),
        context,
      ),
    )
  }

  /** @throws {NsmError} when the kernel refuses any of the requests */
  async change(context: RtnlContext, requests: readonly RtnlRequest[]): Promise<void> {
    for (const { answer } of await this.ask(context, requests)) {
      if (answer.errno !== 0) throw answerError(context.what, answer, { fields: fieldsOf(context) })
    }
  }

  /** As `change`, but what is gone already, alone or with its namespace, is removed. */
  async remove(context: RtnlContext, request: RtnlRequest): Promise<void> {
    try {
      const [outcome] = await this.ask(context, [request])
      if (outcome === undefined || outcome.answer.errno === 0 || isGone(outcome.answer.errno)) return
      throw answerError(context.what, outcome.answer, { fields: fieldsOf(context) })
    } catch (error) {
      if (errorCode(error) !== 'not_found') throw error
    }
  }

  /** All objects of a kind; asks again when they changed while they were listed. */
  async dump(context: RtnlContext, request: RtnlRequest): Promise<readonly Message[]> {
    for (let tries = 0; tries < MAX_DUMPS; tries++) {
      const [outcome] = await this.ask(context, [request])
      if (outcome === undefined) break
      const { answer, messages } = outcome
      if (answer.errno !== 0) throw answerError(context.what, answer, { fields: fieldsOf(context) })
      if (messages.every(({ flags }) => (flags & messageFlag.dumpInterrupted) === 0)) return messages
    }
    throw new NsmError('unavailable', `${context.what}: it keeps changing`, { fields: fieldsOf(context) })
  }
}

export function fieldsOf({ namespace, fields = {} }: RtnlContext): ErrorFields {
  return { namespace, ...fields }
}

function outcomeOf(messages: readonly Message[], context: RtnlContext): Outcome {
  const last = messages.at(-1)
  const answer = last === undefined ? undefined : readAnswer(last)
  if (last === undefined || answer === undefined) {
    throw new NsmError('unavailable', `${context.what}: the kernel's answer is incomplete`, {
      fields: fieldsOf(context),
    })
  }
  // The end of a dump carries the mark of an interruption too.
  return { messages: messages.filter((message) => readAnswer(message) === undefined || isMarked(message)), answer }
}

function isMarked({ flags }: Message): boolean {
  return (flags & messageFlag.dumpInterrupted) !== 0
}
