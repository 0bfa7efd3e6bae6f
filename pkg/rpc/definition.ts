/** Types of generated service definitions, and of the handlers and clients that follow from them. */
import type { Call, Outgoing } from '../api/index.ts'

export interface MethodDefinition {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly requestSerialize: (value: never) => Buffer
  readonly requestDeserialize: (bytes: Buffer) => unknown
  readonly responseSerialize: (value: never) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => unknown
}

export type ServiceDefinition = Readonly<Record<string, MethodDefinition>>

export type RequestOf<M extends MethodDefinition> = Parameters<M['requestSerialize']>[0]
export type ResponseOf<M extends MethodDefinition> = Parameters<M['responseSerialize']>[0]

type Method<M extends MethodDefinition, C> = M['responseStream'] extends true
  ? (request: RequestOf<M>, call: C) => AsyncIterable<ResponseOf<M>>
  : (request: RequestOf<M>, call: C) => Promise<ResponseOf<M>>

/** One function per method, which returns a promise for a single answer or an async iterable for a stream. */
export type Handlers<S extends ServiceDefinition> = { readonly [K in keyof S]: Method<S[K], Call> }
export type ClientOf<S extends ServiceDefinition> = { readonly [K in keyof S]: Method<S[K], Outgoing> }
