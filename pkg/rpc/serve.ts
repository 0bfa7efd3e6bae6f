/**
 * A gRPC server of the mesh. Connections come from a TCP or unix listener, or the holder hands them over together with
 * its attestation of the client (handover.ts):
 *
 *     socket -> TLS 1.3, client certificate -> ServerConnection -> HTTP/2 -> call -> authenticate, authorize -> handler
 *
 * The identity can be renewed while the server runs: new connections use the new certificate, old ones are drained.
 */
import type { Socket } from 'node:net'
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import type { Attestation, Peer } from '../api/index.ts'
import { type Clock, type Logger, limitedLogger, NsmError, Scope } from '../base/index.ts'
import { TokenMinter } from '../identity/index.ts'
import { Acceptor, type Standing } from './acceptor.ts'
import { type CallQuota, CallQuotas } from './call-quota.ts'
import type { Service } from './implement.ts'
import { limitCalls } from './limit-calls.ts'
import { limitReceiving } from './limit-receiving.ts'
import { serverOptions, strangerOptions } from './limits.ts'
import { listen } from './listen.ts'
import type { MutualTls } from './mutual-tls.ts'
import { refuseStrangers } from './refuse-strangers.ts'
import { type CallRules, refusal, registerMethods } from './run-call.ts'

export interface ServeOptions {
  /** `tcp://ip:port` (port 0 for any), or `unix:///path`; absent when all connections are passed to `accept`. */
  readonly listen?: string
  /** `plaintext` is allowed only on unix sockets, where file modes or the holder authenticate the clients. */
  readonly security: MutualTls | 'plaintext'
  readonly services: readonly Service[]
  /** Throws to refuse the call with that error. `path` is that of gRPC: `/networkservice.NetworkService/Request`. */
  readonly authorize?: (peer: Peer, path: string) => void | Promise<void>
  /** Of each caller: an account of this machine, a node with its workloads, another domain. Without it nobody is limited. */
  readonly quota?: CallQuota
  readonly clock: Clock
  readonly logger: Logger
}

export interface Server {
  /** The URL of the listener with the actual port; empty if there is none. */
  readonly url: string
  /** Takes over a connection that was accepted elsewhere. */
  accept(socket: Socket, attestation: Attestation | undefined): void
  /** Closes the connections of peers that are no longer trusted. To be called after a revocation. */
  recheck(): void
  /** Waits briefly for running calls, then aborts them. */
  close(): Promise<void>
}

/** @throws {NsmError} `failed_precondition` when the address is in use or not available */
export async function serve(options: ServeOptions): Promise<Server> {
  if (options.security === 'plaintext' && options.listen?.startsWith('tcp:') === true) {
    throw new NsmError('invalid_argument', 'Cannot serve in plaintext: it is not allowed on a TCP address')
  }
  const scope = new Scope()
  const credentials = ServerCredentials.createInsecure()
  const interceptors = [refuseStrangers((path, connectionId) => refusal(path, connectionId, rules))]
  const logger = scope.own(limitedLogger(options.logger, { clock: options.clock, by: ['method'] }))
  const limits = [
    ...callLimits(options, logger, (id) => acceptor.callerOf(id)),
    limitReceiving((id) => acceptor.holderOf(id)),
  ]
  const servers = {
    member: new GrpcServer({ ...serverOptions, interceptors: limits }),
    stranger: new GrpcServer({ ...strangerOptions, interceptors }),
  }
  const inject = (standing: Standing) => servers[standing].createConnectionInjector(credentials)
  const acceptor: Acceptor = scope.own(new Acceptor({ ...options, inject }))
  const rules: CallRules = { ...options, logger, acceptor, tokens: new TokenMinter(options.clock) }
  const both = Object.values(servers)
  for (const server of both) registerMethods(server, rules)
  scope.defer(async () => void (await Promise.all(both.map((server) => shutDown(server, options.clock)))))
  const access = options.security === 'plaintext' ? 'owner' : 'everyone'
  const listener = await listen(options.listen, access, (socket) => acceptor.accept(socket, undefined))
  scope.own(listener)
  return {
    url: listener.url,
    accept: (socket, attestation) => acceptor.accept(socket, attestation),
    recheck: () => acceptor.recheck(),
    close: () => scope.close(),
  }
}

function callLimits({ quota, clock }: ServeOptions, logger: Logger, callerOf: (id: string) => string) {
  if (quota === undefined) return []
  return [limitCalls({ quotas: new CallQuotas(quota, clock), callerOf, clock, logger })]
}

const SHUTDOWN_MS = 1000

async function shutDown(grpc: GrpcServer, clock: Clock): Promise<void> {
  const cancel = clock.after(SHUTDOWN_MS, () => grpc.forceShutdown())
  await new Promise<void>((resolve) => grpc.tryShutdown(() => resolve()))
  cancel()
}
