/** Runs gRPC calls: authenticates and authorizes the caller, reads the metadata, calls the handler, maps its errors. */
import { once } from 'node:events'
import type {
  Server as GrpcServer,
  Metadata,
  ServerErrorResponse,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js'
import type { Call, Peer, RegistrationPath } from '../api/index.ts'
import { type Clock, errorCode, type Logger, NsmError } from '../base/index.ts'
import type { TokenMinter } from '../identity/index.ts'
import type { Acceptor } from './acceptor.ts'
import { extendPath, pathMetadata, readClock, readPath, readToken } from './call-metadata.ts'
import { aheadMs } from './clocks.ts'
import type { BoundMethod, Service, StreamMethod, UnaryMethod } from './implement.ts'
import type { MutualTls } from './mutual-tls.ts'
import { type Status, toStatus } from './status.ts'

export interface CallRules {
  readonly acceptor: Acceptor
  readonly security: MutualTls | 'plaintext'
  readonly authorize?: (peer: Peer, path: string) => void | Promise<void>
  readonly services: readonly Service[]
  readonly tokens: TokenMinter
  readonly clock: Clock
  readonly logger: Logger
}

type Unary = ServerUnaryCall<Buffer, Buffer>
type Stream = ServerWritableStream<Buffer, Buffer>

const asIs = (bytes: Buffer) => bytes

export function registerMethods(grpc: GrpcServer, rules: CallRules): void {
  for (const method of rules.services.flatMap((service) => service.methods)) {
    if (method.kind === 'unary') {
      const handle = (call: Unary, answer: sendUnaryData<Buffer>) => void runUnary(method, { call, answer }, rules)
      grpc.register(method.path, handle, asIs, asIs, 'unary')
    } else {
      grpc.register(method.path, (call: Stream) => void runStream(method, call, rules), asIs, asIs, 'serverStream')
    }
  }
}

async function runUnary(
  method: UnaryMethod,
  { call, answer }: { readonly call: Unary; readonly answer: sendUnaryData<Buffer> },
  rules: CallRules,
): Promise<void> {
  try {
    const context = await admit(method, call, rules)
    const response = await method.run(call.request, context)
    if (context.path !== undefined) call.sendMetadata(answerPath(context.path))
    answer(null, response)
  } catch (error) {
    answer(failed(refuse(error, method.path, rules)))
  }
}

async function runStream(method: StreamMethod, call: Stream, rules: CallRules): Promise<void> {
  try {
    const context = await admit(method, call, rules)
    for await (const message of method.run(call.request, context)) {
      if (context.signal.aborted) return
      // Backpressure: a caller that does not read blocks its own stream and does not use up our memory.
      if (!call.write(message)) await once(call, 'drain', { signal: context.signal })
    }
    call.end()
  } catch (error) {
    if (!call.cancelled) call.emit('error', failed(refuse(error, method.path, rules)))
  }
}

async function admit({ path, checkMetadata }: BoundMethod, call: Unary | Stream, rules: CallRules): Promise<Call> {
  const signal = cancelSignal(call)
  checkMetadata?.(call.metadata)
  const peer = identify(path, call.getPeer(), rules)
  await rules.authorize?.(peer, path)
  const token = readToken(call.metadata)
  const clockMs = readClock(call.metadata)
  const nowMs = rules.clock.nowMs()
  const ahead = aheadMs(clockMs, nowMs)
  return {
    peer,
    token: token && { ...token, expiresMs: token.expiresMs - ahead },
    path: registrationPath(call.metadata, { peer, callerToken: token?.jwt ?? '', rules }),
    signal,
    aheadMs: ahead,
    ...(clockMs === undefined ? {} : { saidAheadMs: clockMs - nowMs }),
  }
}

/** Why a call of this method over this connection is refused; undefined: it is not. */
export function refusal(path: string, connectionId: string, rules: CallRules): Status | undefined {
  try {
    identify(path, connectionId, rules)
    return undefined
  } catch (error) {
    return refuse(error, path, rules)
  }
}

function identify(path: string, connectionId: string, { acceptor, security }: CallRules): Peer {
  const connection = acceptor.find(connectionId)
  if (connection === undefined) throw new NsmError('unavailable', 'Cannot accept the call: its connection is closed')
  if (security === 'plaintext' || acceptor.rules === undefined) return connection.anonymous
  if (security.anonymousMethods?.has(path) === true) return connection.anonymous
  return security.lateMethods?.has(path) === true
    ? connection.latePeer(acceptor.rules)
    : connection.peer(acceptor.rules)
}

function registrationPath(
  metadata: Metadata,
  { peer, callerToken, rules }: { readonly peer: Peer; readonly callerToken: string; readonly rules: CallRules },
): RegistrationPath | undefined {
  const path = readPath(metadata)
  if (path === undefined || rules.security === 'plaintext') return undefined
  const own = rules.tokens.token(rules.security.identity.current().svid, peer.spiffeId)
  return extendPath(path, callerToken, own.jwt)
}

/** Returns the path to the caller, in the caller's view and with our token for it. */
function answerPath({ index, tokens }: RegistrationPath): Metadata {
  return pathMetadata({ index: index - 1, tokens })
}

/** One for all: grpc-js tells of every call that it is cancelled, once its stream is closed, and an error takes its time. */
const disconnected = new NsmError('cancelled', 'Cannot continue: the caller has disconnected')

function cancelSignal(call: Unary | Stream): AbortSignal {
  const abort = new AbortController()
  call.once('cancelled', () => abort.abort(disconnected))
  return abort.signal
}

function refuse(error: unknown, method: string, { logger }: CallRules): Status {
  const code = errorCode(error)
  if (code === 'internal') logger.error('Call failed', { method, error })
  if (code === 'unauthenticated' || code === 'permission_denied') logger.warn('Call refused', { method, error })
  return toStatus(error)
}

function failed(status: Status): ServerErrorResponse {
  return Object.assign(new Error('Call failed'), status)
}
