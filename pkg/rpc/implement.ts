import type { Metadata } from '@grpc/grpc-js'
import type { Call } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { Handlers, MethodDefinition, ServiceDefinition } from './definition.ts'

/** A method on the level of encoded messages. */
export type BoundMethod = UnaryMethod | StreamMethod

interface Bound {
  readonly path: string
  /** Throws when required metadata is missing. */
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
  /** The full name, with the proto package: `networkservice.NetworkService`. */
  readonly name: string
  readonly methods: readonly BoundMethod[]
}

/** Binds handlers to a generated definition. A message that cannot be decoded is refused with `invalid_argument`. */
export function implement<S extends ServiceDefinition>(definition: S, handlers: Handlers<S>): Service {
  const methods = Object.entries(definition).map(([name, method]) => bind(method, handlers[name] as AnyHandler))
  const [first] = methods
  return { name: first?.path.split('/')[1] ?? '', methods }
}

/** `Handlers` relates the types of each method; here values are only passed through. */
type AnyHandler = (request: unknown, call: Call) => unknown

function bind(method: MethodDefinition, handler: AnyHandler): BoundMethod {
  const { path, responseStream } = method
  if (responseStream) {
    return {
      path,
      kind: 'stream',
      async *run(request, call) {
        const answers = handler(decode(method, request), call) as AsyncIterable<never>
        for await (const answer of answers) yield encodeOnce(method, answer)
      },
    }
  }
  return {
    path,
    kind: 'unary',
    run: async (request, call) => method.responseSerialize((await handler(decode(method, request), call)) as never),
  }
}

/** Answers that were given before. */
const encoded = new WeakMap<object, Buffer>()

/** An answer that goes to many callers is the same object for all of them. */
function encodeOnce(method: MethodDefinition, answer: object): Buffer {
  const known = encoded.get(answer)
  if (known !== undefined) return known
  const bytes = method.responseSerialize(answer as never)
  encoded.set(answer, bytes)
  return bytes
}

function decode({ requestDeserialize, path }: MethodDefinition, bytes: Buffer): unknown {
  try {
    return requestDeserialize(bytes)
  } catch (cause) {
    throw new NsmError('invalid_argument', 'Cannot decode the message: it is not a valid request of the method', {
      cause,
      fields: { method: path },
    })
  }
}
