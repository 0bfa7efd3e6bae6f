import type { Outgoing } from '../api/index.ts'
import { callStream, callUnary } from './call.ts'
import type { Channel } from './channel.ts'
import type { ClientOf, MethodDefinition, ServiceDefinition } from './definition.ts'

/** Creates a client of a generated service definition, which calls over `channel`. */
export function clientOf<S extends ServiceDefinition>(
  definition: S,
  channel: Channel,
  headers: Headers = {},
): ClientOf<S> {
  const methods = Object.entries(definition).map(([name, method]) => [name, bind(method, channel, headers)])
  return Object.fromEntries(methods) as ClientOf<S>
}

/** Metadata of every call. */
type Headers = Readonly<Record<string, string>>

function bind(method: MethodDefinition, channel: Channel, headers: Headers) {
  const start = method.responseStream ? callStream : callUnary
  return (request: unknown, outgoing: Outgoing) => start(channel, { method, request, outgoing, headers })
}
