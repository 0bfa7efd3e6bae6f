import type { Socket } from 'node:net'
import { type Clock, describeError, type Logger, NsmError, nextStep, toPrintable, within } from '../base/index.ts'
import { type GateCall, gateAnswer, type ReceivedCall, readGateCall } from '../netlink/index.ts'

export interface GateSocketOptions {
  /** Resolves when the pod may start; what it throws is the reason why not. @param signal aborts when nobody waits any more */
  readonly answer: (call: GateCall, signal: AbortSignal) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

/** nsm-cni sends its call at once. */
const RECEIVE_MS = 1_000
/** More than a node has pods, and few enough to be kept in memory. */
const MAX_CALLS = 1_024
/** The events of a pod have room for 1,024 bytes, of which the kubelet and the runtime need some. */
const MAX_SENTENCE_CHARS = 700

/** Answers nsm-cni, whose connections the holder hands over as it does those of workloads. */
export class GateSocket {
  readonly #options: GateSocketOptions
  readonly #sockets = new Set<Socket>()

  constructor(options: GateSocketOptions) {
    this.#options = options
  }

  /** Takes a connection from behind its preface on. */
  accept(socket: Socket): void {
    if (this.#sockets.size >= MAX_CALLS) return void socket.destroy()
    this.#sockets.add(socket)
    const gone = new AbortController()
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      this.#sockets.delete(socket)
      gone.abort(new NsmError('cancelled', 'Cannot answer nsm-cni: it does not wait any more'))
    })
    this.#serve(socket, gone.signal).catch((error: unknown) => {
      if (!gone.signal.aborted) this.#options.logger.warn('Dropped a connection of nsm-cni', { error })
      socket.destroy()
    })
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async #serve(socket: Socket, signal: AbortSignal): Promise<void> {
    const { clock, answer, logger } = this.#options
    const limit = { clock, ms: RECEIVE_MS, signal }
    const { call, sequence } = await within(limit, (until) => receive(socket, until))
    const refusal = await answer(call, signal).then(() => undefined, sentenceOf)
    if (signal.aborted) return
    if (refusal !== undefined) {
      logger.info('A pod does not start yet', { pod: call.name, namespace: call.namespace, reason: refusal })
    }
    socket.end(gateAnswer(sequence, refusal))
  }
}

function receive(socket: Socket, signal: AbortSignal): Promise<ReceivedCall> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0)
    const stop = () => {
      signal.removeEventListener('abort', onAbort)
      socket.off('data', onData)
    }
    const onAbort = () => {
      stop()
      reject(signal.reason)
    }
    const onData = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk])
      try {
        const received = readGateCall(seen)
        if (received === undefined) return
        stop()
        socket.resume() // to see its end
        resolve(received)
      } catch (error) {
        stop()
        reject(error)
      }
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('data', onData)
  })
}

function sentenceOf(error: unknown): string {
  const next = nextStep(error)
  const sentence = `${describeError(error)}${next === undefined ? '' : `; ${next}`}`
  return toPrintable(sentence).slice(0, MAX_SENTENCE_CHARS)
}
