import type { Outgoing } from '../api/index.ts'
import { callStream, callUnary } from './call.ts'
import type { Callee } from './channel.ts'
import type { ClientOf, MethodDefinition, ServiceDefinition } from './definition.ts'

/** Creates a client of a generated service definition, which calls of `callee`. */
export function clientOf<S extends ServiceDefinition>(
  definition: S,
  callee: Callee,
  headers: Headers = {},
): ClientOf<S> {
  const methods = Object.entries(definition).map(([name, method]) => [name, bind(method, callee, headers)])
  return Object.fromEntries(methods) as ClientOf<S>
}

/** Metadata of every call. */
type Headers = Readonly<Record<string, string>>

function bind(method: MethodDefinition, callee: Callee, headers: Headers) {
  const start = method.responseStream ? callStream : callUnary
  return (request: unknown, outgoing: Outgoing) => start(callee, { method, request, outgoing, headers })
}
