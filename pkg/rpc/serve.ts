/**
 * A gRPC server of the mesh. Connections come from a TCP or unix listener, or are handed over with the holder's word
 * of who connected (deliver.ts):
 *
 *     socket -> TLS 1.3, certificate asked for -> ServerConnection -> HTTP/2 -> call -> who is it, may it -> handler
 *
 * The identity may change while it runs: new connections get the new certificate at once, old ones are asked to go.
 */

import type { Socket } from 'node:net'
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import type { Attestation, Peer } from '../api/index.ts'
import { type Clock, type Logger, NsmError, Scope } from '../base/index.ts'
import { TokenMinter } from '../identity/index.ts'
import { Acceptor } from './acceptor.ts'
import type { Service } from './implement.ts'
import { serverOptions } from './limits.ts'
import { listen } from './listen.ts'
import type { MutualTls } from './mutual-tls.ts'
import { registerMethods } from './run-call.ts'

export interface ServeOptions {
  /** `tcp://ip:port`, port 0 for any; `unix:///path`; absent where connections are handed over by `accept`. */
  readonly listen?: string
  /** `plaintext` only on unix sockets, for those whom the file's owner or the holder lets in. */
  readonly security: MutualTls | 'plaintext'
  readonly services: readonly Service[]
  /** Throws what the caller is told. The path is the gRPC one, `/networkservice.NetworkService/Request`. */
  readonly authorize?: (peer: Peer, path: string) => void | Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

export interface Server {
  /** As given, with the port that was taken; empty where there is no listener. */
  readonly url: string
  /** Takes over a connection that somebody else accepted. */
  accept(socket: Socket, attestation: Attestation | undefined): void
  /** Ends the connections of peers that are no longer trusted: call after a revocation. */
  recheck(): void
  /** Lets running calls end for a moment, then ends them. */
  close(): Promise<void>
}

/** @throws {NsmError} `failed_precondition` when somebody else listens there */
export async function serve(options: ServeOptions): Promise<Server> {
  if (options.security === 'plaintext' && options.listen?.startsWith('tcp:') === true) {
    throw new NsmError('invalid_argument', 'Cannot serve plaintext on a TCP address')
  }
  const scope = new Scope()
  const grpc = new GrpcServer(serverOptions)
  const inject = () => grpc.createConnectionInjector(ServerCredentials.createInsecure())
  const acceptor = scope.own(new Acceptor({ ...options, inject }))
  scope.defer(() => shutDown(grpc, options.clock))
  registerMethods(grpc, { ...options, acceptor, tokens: new TokenMinter(options.clock) })
  const openness = options.security === 'plaintext' ? 'owner' : 'everyone'
  const listener = await listen(options.listen, openness, (socket) => acceptor.accept(socket, undefined))
  scope.own(listener)
  return {
    url: listener.url,
    accept: (socket, attestation) => acceptor.accept(socket, attestation),
    recheck: () => acceptor.recheck(),
    close: () => scope.close(),
  }
}

const SHUTDOWN_MS = 1000

async function shutDown(grpc: GrpcServer, clock: Clock): Promise<void> {
  const cancel = clock.after(SHUTDOWN_MS, () => grpc.forceShutdown())
  await new Promise<void>((resolve) => grpc.tryShutdown(() => resolve()))
  cancel()
}
