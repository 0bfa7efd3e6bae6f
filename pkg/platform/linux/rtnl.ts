/**
 * Requests and answers of rtnetlink: assigns sequence numbers, sends several requests in one exchange, assigns the
 * messages of the kernel to their requests and converts its refusals to errors. A namespace that no longer exists
 * counts as empty, so that removals in it succeed.
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

/** The messages that the kernel sent for one request, and its result. */
export interface Outcome {
  readonly messages: readonly Message[]
  readonly answer: Answer
}

/** The target of a request, and the beginning (`Cannot <verb> the <thing>`) and the fields of its error message. */
export interface RtnlContext {
  readonly namespace: Namespace
  readonly what: string
  readonly fields?: ErrorFields
  readonly signal: AbortSignal
}

/** How often an interrupted dump is repeated. */
const MAX_DUMPS = 8

export class Rtnl {
  readonly #transport: RtnlTransport

  constructor(transport: RtnlTransport) {
    this.#transport = transport
  }

  /** Sends each request in turn, even after one was refused. Returns the outcomes in the same order. */
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

  /** Like `change`, but succeeds when the object or its namespace no longer exists. */
  async remove(context: RtnlContext, request: RtnlRequest): Promise<void> {
    try {
      const [outcome] = await this.ask(context, [request])
      if (outcome === undefined || outcome.answer.errno === 0 || isGone(outcome.answer.errno)) return
      throw answerError(context.what, outcome.answer, { fields: fieldsOf(context) })
    } catch (error) {
      if (errorCode(error) !== 'not_found') throw error
    }
  }

  /** For IPv6, where the kernel can; `nsmctl status` says where it cannot. */
  async checkSources({ namespace, signal }: RtnlContext): Promise<void> {
    try {
      await this.#transport.checkSources(namespace === NODE ? undefined : namespace, signal)
    } catch (error) {
      if (errorCode(error) !== 'unimplemented') throw error
    }
  }

  /** Lists all objects of a kind. Repeats the dump when objects changed meanwhile. */
  async dump(context: RtnlContext, request: RtnlRequest): Promise<readonly Message[]> {
    for (let attempt = 0; attempt < MAX_DUMPS; attempt++) {
      const [outcome] = await this.ask(context, [request])
      if (outcome === undefined) break
      const { answer, messages } = outcome
      if (answer.errno !== 0) throw answerError(context.what, answer, { fields: fieldsOf(context) })
      if (messages.every(({ flags }) => (flags & messageFlag.dumpInterrupted) === 0)) return messages
    }
    throw new NsmError('unavailable', `${context.what}: the objects kept changing`, { fields: fieldsOf(context) })
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
  // The message that ends a dump can carry the interruption flag, too.
  return { messages: messages.filter((message) => readAnswer(message) === undefined || isInterrupted(message)), answer }
}

function isInterrupted({ flags }: Message): boolean {
  return (flags & messageFlag.dumpInterrupted) !== 0
}
