/**
 * Limits how many messages may be arriving at once from everybody who shares an account or an identity. A call is
 * counted from its headers until its message is complete, so a caller that stops in the middle holds its own share only.
 */
import { ResponderBuilder, ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder } from '@grpc/grpc-js'
import { NsmError } from '../base/index.ts'
import { MAX_RECEIVING } from './limits.ts'
import { toStatus } from './status.ts'

const tooMany = toStatus(
  new NsmError('resource_exhausted', 'Cannot take the call: too many messages of its caller are incomplete', {
    fields: { max: MAX_RECEIVING },
  }),
)

/** @param holderOf who shares the limit, by the id of the connection */
export function limitReceiving(holderOf: (connectionId: string) => string): ServerInterceptor {
  const receiving = new Map<string, number>()
  const change = (holder: string, by: number) => {
    const count = (receiving.get(holder) ?? 0) + by
    if (count === 0) receiving.delete(holder)
    else receiving.set(holder, count)
    return count
  }
  return (_, call) => {
    const holder = holderOf(call.getPeer())
    let isReceiving = false
    const end = () => {
      if (isReceiving) change(holder, -1)
      isReceiving = false
    }
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        isReceiving = true
        if (change(holder, 1) <= MAX_RECEIVING) return next(metadata)
        end()
        call.sendStatus(tooMany)
      })
      .withOnReceiveMessage((message, next) => {
        end()
        next(message)
      })
      .withOnCancel(end)
    const responder = new ResponderBuilder().withStart((next) => next(listener.build()))
    return new ServerInterceptingCall(call, responder.build())
  }
}
