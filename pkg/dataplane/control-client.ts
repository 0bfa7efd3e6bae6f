/**
 * The daemon's line to the holder, over one connection after the other:
 *
 *     connecting --hello answered--> connected --ended--> waiting --back-off--> connecting
 *
 * While it is not connected every request fails at once with `unavailable`: the callers' own retries are the queue.
 */
import {
  type Clock,
  describeError,
  errorCode,
  follow,
  Listeners,
  type Logger,
  NsmError,
  Scope,
  within,
} from '../base/index.ts'
import { attribute, attributeType, type Message, messageType, PROTOCOL_VERSION } from '../netlink/index.ts'
import { ControlConnection, type ControlRequest } from './control-connection.ts'

export interface ControlClientOptions {
  /** Path of the holder's control socket. */
  readonly path: string
  readonly clock: Clock
  readonly logger: Logger
  /** The version of this program, for the holder's log. */
  readonly build?: string
  /** How long one request may take. */
  readonly requestMs?: number
}

export type ControlState =
  | { readonly at: 'connecting' }
  | { readonly at: 'connected'; readonly connection: ControlConnection }
  | { readonly at: 'waiting' }
  | { readonly at: 'closed' }

const REQUEST_MS = 10_000
const RECONNECT = { firstMs: 20, maxMs: 1000 }

export class ControlClient {
  readonly #options: ControlClientOptions
  readonly #scope = new Scope()
  readonly #messageListeners = new Listeners<[message: Message]>()
  readonly #stateListeners = new Listeners<[state: ControlState]>()
  readonly #running: Promise<void>
  #state: ControlState = { at: 'connecting' }

  constructor(options: ControlClientOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** Resolves as soon as the holder has answered. */
  ready(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        if (this.#state.at !== 'connected' && !signal.aborted) return
        stop()
        signal.removeEventListener('abort', settle)
        if (signal.aborted) reject(signal.reason)
        else resolve()
      }
      const stop = this.onState(settle)
      signal.addEventListener('abort', settle, { once: true })
      settle()
    })
  }

  /** Resolves with the messages before the acknowledgement. @throws {NsmError} as the holder answered */
  async request(request: ControlRequest, signal: AbortSignal): Promise<readonly Message[]> {
    if (this.#state.at !== 'connected') {
      throw new NsmError('unavailable', 'Cannot reach the dataplane: its control socket is away', {
        fields: { socket: this.#options.path },
        next: 'check that `nsm-dataplane hold` runs and serves this control socket',
      })
    }
    const { connection } = this.#state
    const { clock, requestMs: ms = REQUEST_MS } = this.#options
    return within({ clock, ms, signal }, (limited) => connection.request(request, limited))
  }

  /** Messages without a request: events of the engine, and of rtnetlink. */
  onMessage(listener: (message: Message) => void): () => void {
    return this.#messageListeners.add(listener)
  }

  onState(listener: (state: ControlState) => void): () => void {
    return this.#stateListeners.add(listener)
  }

  async close(): Promise<void> {
    await this.#scope.close()
    if (this.#state.at === 'connected') await this.#state.connection.close()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock } = this.#options
    const onFailure = (error: unknown) => this.#report(error)
    await follow({ clock, retry: RECONNECT, signal: this.#scope.signal, onFailure }, (works) => this.#serve(works))
    this.#become({ at: 'closed' })
  }

  /** One connection, from its opening to its end. */
  async #serve(works: () => void): Promise<void> {
    if (this.#state.at === 'waiting') this.#become({ at: 'connecting' })
    try {
      const connection = await this.#connect()
      works()
      this.#become({ at: 'connected', connection })
      await connection.ended
    } finally {
      if (!this.#scope.signal.aborted) this.#become({ at: 'waiting' })
    }
  }

  async #connect(): Promise<ControlConnection> {
    const { path, clock, requestMs = REQUEST_MS } = this.#options
    const connection = await ControlConnection.open(path, (message) => this.#emit(message))
    try {
      await within({ clock, ms: requestMs, signal: this.#scope.signal }, (signal) =>
        connection.request(this.hello(), signal),
      )
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  hello(): ControlRequest {
    const { build = 'nsmesh' } = this.#options
    return {
      type: messageType.hello,
      what: 'Cannot greet the dataplane',
      attributes: [
        attribute.u32(attributeType.versionAttr, PROTOCOL_VERSION),
        attribute.text(attributeType.build, build),
      ],
    }
  }

  /** That it is away is ordinary, and told by the state; that it refuses us is for a person. */
  #report(error: unknown): void {
    const { logger, path } = this.#options
    if (this.#scope.signal.aborted || errorCode(error) === 'unavailable') return
    logger.error('The dataplane refuses this daemon', { socket: path, error: describeError(error) })
  }

  #emit(message: Message): void {
    this.#messageListeners.tell(message)
  }

  #become(state: ControlState): void {
    const before = this.#state.at
    this.#state = state
    if (before === 'connected' || state.at === 'connected') {
      this.#options.logger.info('Line to the dataplane changed', { from: before, to: state.at })
    }
    this.#stateListeners.tell(state)
  }
}
