/**
 * One connection to the holder's control socket: frames in and out, answers matched to requests by sequence number.
 * It ends once, by an error, by the holder or by `close`; whatever waits then fails with `unavailable`.
 */
import { createConnection, type Socket } from 'node:net'
import { type ErrorFields, NsmError } from '../base/index.ts'
import {
  type Answer,
  type Attribute,
  answerError,
  encodeMessage,
  MAX_MESSAGE_BYTES,
  type Message,
  messageFlag,
  readAnswer,
  takeMessages,
} from '../netlink/index.ts'

export interface ControlRequest {
  readonly type: number
  readonly attributes: readonly Attribute[]
  /** `Cannot <verb> <thing>`, for the error when it is refused. */
  readonly what: string
  readonly fields?: ErrorFields
}

interface Pending {
  readonly request: ControlRequest
  readonly messages: Message[]
  readonly settle: (result: readonly Message[] | Error) => void
}

const MAX_PENDING = 4096
const MAX_SEQUENCE = 2 ** 32 - 1

export class ControlConnection {
  readonly #socket: Socket
  readonly #onEvent: (message: Message) => void
  readonly #pending = new Map<number, Pending>()
  /** Resolves, never rejects, when the connection has ended. */
  readonly ended: Promise<void>
  #rest: Uint8Array = new Uint8Array()
  #sequence = 0
  #failure: Error | undefined

  private constructor(socket: Socket, onEvent: (message: Message) => void) {
    this.#socket = socket
    this.#onEvent = onEvent
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', (error) => this.#end(error))
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#end(undefined)
        resolve()
      })
    })
  }

  /** @throws {NsmError} `unavailable` when nothing listens at `path` */
  static open(path: string, onEvent: (message: Message) => void): Promise<ControlConnection> {
    const socket = createConnection(path)
    return new Promise((resolve, reject) => {
      const onError = (cause: unknown) => reject(away(cause))
      socket.once('error', onError)
      socket.once('connect', () => {
        socket.off('error', onError)
        resolve(new ControlConnection(socket, onEvent))
      })
    })
  }

  /** Resolves with the messages before the acknowledgement. @throws {NsmError} as the holder answered */
  request(request: ControlRequest, signal: AbortSignal): Promise<readonly Message[]> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      if (this.#failure !== undefined) throw this.#failure
      if (this.#pending.size >= MAX_PENDING) throw tooMany(request)
      const sequence = this.#nextSequence()
      const onAbort = () => settle(signal.reason)
      const settle = (result: readonly Message[] | Error) => {
        signal.removeEventListener('abort', onAbort)
        this.#pending.delete(sequence)
        if (Array.isArray(result)) resolve(result)
        else reject(result)
      }
      const { type, attributes } = request
      const { bytes } = encodeMessage({
        type,
        flags: messageFlag.request | messageFlag.acknowledge,
        sequence,
        attributes,
      })
      this.#pending.set(sequence, { request, messages: [], settle })
      signal.addEventListener('abort', onAbort, { once: true })
      this.#write(bytes)
    })
  }

  async close(): Promise<void> {
    this.#socket.destroy()
    await this.ended
  }

  /** All requests of one turn of the event loop leave in one system call. */
  #write(bytes: Uint8Array): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork()
      process.nextTick(() => this.#socket.uncork())
    }
    this.#socket.write(bytes)
  }

  /** Sequence 0 belongs to events. */
  #nextSequence(): number {
    do this.#sequence = this.#sequence === MAX_SEQUENCE ? 1 : this.#sequence + 1
    while (this.#pending.has(this.#sequence))
    return this.#sequence
  }

  #receive(chunk: Uint8Array): void {
    try {
      const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
      const { messages, rest } = takeMessages(bytes, { maxBytes: MAX_MESSAGE_BYTES })
      this.#rest = rest
      for (const message of messages) this.#dispatch(message)
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #dispatch(message: Message): void {
    if (message.sequence === 0) this.#onEvent(message)
    const pending = this.#pending.get(message.sequence)
    if (pending === undefined) return // an event, or the answer to a request that was given up
    const answer = readAnswer(message)
    if (answer === undefined) pending.messages.push(message)
    else pending.settle(answer.errno === 0 ? pending.messages : refusal(pending.request, answer))
  }

  #end(cause: Error | undefined): void {
    this.#failure ??= away(cause)
    for (const { settle } of [...this.#pending.values()]) settle(this.#failure)
  }
}

function away(cause: unknown): NsmError {
  return new NsmError('unavailable', 'Cannot reach the dataplane: its control socket is away', {
    ...(cause === undefined ? {} : { cause }),
    next: 'check that `nsm-dataplane hold` runs and serves this control socket',
  })
}

function refusal({ what, fields = {} }: ControlRequest, answer: Answer): NsmError {
  return answerError(what, answer, { fields })
}

function tooMany({ what }: ControlRequest): NsmError {
  return new NsmError('resource_exhausted', `${what}: too many requests wait for the dataplane`, {
    fields: { most: MAX_PENDING },
  })
}
