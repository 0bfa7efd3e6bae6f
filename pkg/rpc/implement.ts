import type { Metadata } from '@grpc/grpc-js'
import type { Call } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { Handlers, MethodDefinition, ServiceDefinition } from './definition.ts'

/** A method as the server runs it: bytes in, bytes out. */
export type BoundMethod = UnaryMethod | StreamMethod

interface Bound {
  readonly path: string
  /** Throws when a call lacks what must come with it. */
  readonly checkMetadata?: (metadata: Metadata) => void
}

export interface UnaryMethod extends Bound {
  readonly kind: 'unary'
  run(request: Buffer, call: Call): Promise<Buffer>
}

export interface StreamMethod extends Bound {
  readonly kind: 'stream'
  run(request: Buffer, call: Call): AsyncIterable<Buffer>
}

export interface Service {
  /** With its proto package: `networkservice.NetworkService`. */
  readonly name: string
  readonly methods: readonly BoundMethod[]
}

/** Binds handlers to a generated definition. What cannot be decoded is refused with `invalid_argument`. */
export function implement<S extends ServiceDefinition>(definition: S, handlers: Handlers<S>): Service {
  const methods = Object.entries(definition).map(([name, method]) => bind(method, handlers[name] as AnyHandler))
  const [first] = methods
  return { name: first?.path.split('/')[1] ?? '', methods }
}

/** The types of one method are joined by `Handlers`; here they are only passed along. */
type AnyHandler = (request: unknown, call: Call) => unknown

function bind(method: MethodDefinition, handler: AnyHandler): BoundMethod {
  const { path, responseStream } = method
  if (responseStream) {
    return {
      path,
      kind: 'stream',
      async *run(request, call) {
        const answers = handler(decode(method, request), call) as AsyncIterable<never>
        for await (const answer of answers) yield method.responseSerialize(answer)
      },
    }
  }
  return {
    path,
    kind: 'unary',
    run: async (request, call) => method.responseSerialize((await handler(decode(method, request), call)) as never),
  }
}

function decode({ requestDeserialize, path }: MethodDefinition, bytes: Buffer): unknown {
  try {
    return requestDeserialize(bytes)
  } catch (cause) {
    throw new NsmError('invalid_argument', 'Cannot read message: not the protobuf that the method takes', {
      cause,
      fields: { method: path },
    })
  }
}
