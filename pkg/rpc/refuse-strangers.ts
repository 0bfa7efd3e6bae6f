/**
 * Answers peers without an accepted identity as soon as the headers of a call are there, before any of its message is
 * read: what we will refuse is never held in memory.
 */
import { ResponderBuilder, ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder } from '@grpc/grpc-js'
import type { Status } from './status.ts'

/** @param refuse what to answer a call of this method over this connection; undefined: it may go on */
export function refuseStrangers(refuse: (path: string, connectionId: string) => Status | undefined): ServerInterceptor {
  return ({ path }, call) => {
    const listener = new ServerListenerBuilder().withOnReceiveMetadata((metadata, next) => {
      const status = refuse(path, call.getPeer())
      if (status === undefined) next(metadata)
      else call.sendStatus(status)
    })
    const responder = new ResponderBuilder().withStart((next) => next(listener.build()))
    return new ServerInterceptingCall(call, responder.build())
  }
}
