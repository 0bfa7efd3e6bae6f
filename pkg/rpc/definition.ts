/** Generated service definitions, as types: what a server must implement and what a client can call. */
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

/** One function per method: a promise for one answer, an async iterable for a stream of them. */
export type Handlers<S extends ServiceDefinition> = { readonly [K in keyof S]: Method<S[K], Call> }
export type ClientOf<S extends ServiceDefinition> = { readonly [K in keyof S]: Method<S[K], Outgoing> }
