/** Calls any method over a channel. Calls have a deadline, can be cancelled, and fail only with an NsmError. */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { Outgoing } from '../api/index.ts'
import { StreamRenewal, systemClock } from '../base/index.ts'
import { writeClock, writePath } from './call-metadata.ts'
import type { Callee, Lease } from './channel.ts'
import type { MethodDefinition } from './definition.ts'
import { CALL_MS } from './limits.ts'
import { fromServiceError, isServiceError } from './status.ts'
import { isNetworkFailure, noConnection, transportFailure } from './transport-failure.ts'

export interface MethodCall {
  readonly method: MethodDefinition
  readonly request: unknown
  readonly outgoing: Outgoing
  /** Metadata in addition to what every call carries. */
  readonly headers?: Readonly<Record<string, string>>
}

export async function callUnary(callee: Callee, call: MethodCall): Promise<unknown> {
  const { signal } = call.outgoing
  signal.throwIfAborted()
  const lease = callee.lease()
  try {
    return await startUnary(lease, call)
  } catch (error) {
    throw explain(error, call, lease)
  } finally {
    lease.release()
  }
}

export async function* callStream(callee: Callee, call: MethodCall): AsyncGenerator<unknown> {
  const { signal } = call.outgoing
  signal.throwIfAborted()
  const lease = callee.lease(call.outgoing.isEndless)
  const { path, responseDeserialize } = call.method
  const stream = lease.client.makeServerStreamRequest(
    path,
    serialize(call),
    responseDeserialize,
    call.request,
    metadata(call, lease.nowMs()),
    { credentials: lease.credentials(call.outgoing.binding) },
  )
  stream.on('error', () => {}) // the loop below reports errors, unless it has ended already
  const cancel = () => stream.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  let isRenewed = false
  const renew = () => {
    isRenewed = true
    cancel()
  }
  const forget = call.outgoing.isEndless === true ? lease.keepStream(renew) : () => {}
  try {
    yield* stream
  } catch (error) {
    throw isRenewed && !signal.aborted ? new StreamRenewal() : explain(error, call, lease)
  } finally {
    forget()
    signal.removeEventListener('abort', cancel)
    stream.cancel()
    lease.release()
  }
}

function startUnary(lease: Lease, call: MethodCall): Promise<unknown> {
  const { method, request, outgoing } = call
  return new Promise((resolve, reject) => {
    // grpc-js compares deadlines with the clock of the machine, whatever our clock is.
    const options = {
      deadline: systemClock.nowMs() + CALL_MS,
      credentials: lease.credentials(outgoing.binding),
    }
    const answer = (error: ServiceError | null, value?: unknown) => {
      outgoing.signal.removeEventListener('abort', cancel)
      if (error === null) resolve(value)
      else reject(error)
    }
    const { path, responseDeserialize } = method
    const running = lease.client.makeUnaryRequest(
      path,
      serialize(call),
      responseDeserialize,
      request,
      metadata(call, lease.nowMs()),
      options,
      answer,
    )
    const cancel = () => running.cancel()
    outgoing.signal.addEventListener('abort', cancel, { once: true })
  })
}

/** The error to report: our own cancellation, else why there is no connection, else the answer of the peer. */
function explain(error: unknown, { method, outgoing }: MethodCall, lease: Lease): unknown {
  if (outgoing.signal.aborted) return outgoing.signal.reason
  if (!isServiceError(error)) return error
  const refusal = lease.refusal()
  const isRefused = refusal !== undefined && error.code === status.UNAVAILABLE && !isNetworkFailure(error)
  if (isRefused) return noConnection(refusal, lease.party)
  return transportFailure(error, lease.party) ?? fromServiceError(error, method.path, lease.party)
}

function serialize({ method }: MethodCall): (value: unknown) => Buffer {
  return (value) => method.requestSerialize(value as never)
}

function metadata({ outgoing, headers = {} }: MethodCall, nowMs: number): Metadata {
  const metadata = new Metadata()
  writeClock(metadata, nowMs)
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value)
  if (outgoing.path !== undefined) writePath(metadata, outgoing.path)
  return metadata
}
