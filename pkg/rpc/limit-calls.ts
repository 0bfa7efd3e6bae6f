/** Holds the calls of each caller to its quota, before any of their messages is read. */
import { ResponderBuilder, ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder } from '@grpc/grpc-js'
import type { Clock, Logger } from '../base/index.ts'
import type { CallQuotas } from './call-quota.ts'
import { toStatus } from './status.ts'

export interface LimitCallsParts {
  readonly quotas: CallQuotas
  /** Whose quota a call uses, by the id of its connection; empty: nobody's. */
  readonly callerOf: (connectionId: string) => string
  readonly clock: Clock
  readonly logger: Logger
}

export function limitCalls({ quotas, callerOf, clock, logger }: LimitCallsParts): ServerInterceptor {
  return ({ path: method, responseStream }, call) => {
    const caller = callerOf(call.getPeer())
    let end = () => {}
    const wait = (ms: number, then: () => void) => {
      if (ms === 0) then()
      else end = clock.after(ms, then)
    }
    const refuse = (error: unknown) => {
      logger.warn('Call refused', { method, error })
      wait(quotas.refusalMs(), () => call.sendStatus(toStatus(error)))
    }
    const begin = (next: () => void) => {
      end = () => {}
      if (responseStream) {
        quotas.openWatch(caller)
        end = once(() => quotas.closeWatch(caller))
      }
      next()
    }
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        if (caller === '') return next(metadata)
        attempt(refuse, () => wait(quotas.takeTurn(caller), () => attempt(refuse, () => begin(() => next(metadata)))))
      })
      .withOnCancel(() => end())
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener.build()))
      .withSendStatus((status, next) => {
        end()
        next(status)
      })
    return new ServerInterceptingCall(call, responder.build())
  }
}

function attempt(onError: (error: unknown) => void, action: () => void): void {
  try {
    action()
  } catch (error) {
    onError(error)
  }
}

function once(action: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) action()
    isDone = true
  }
}
