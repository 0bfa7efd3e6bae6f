/**
 * Calls between a daemon and the workloads for which it speaks itself, as it does for pods. What gRPC and TLS do in between
 * is left out; what they check of a caller at each call is not: its certificates, their expiry, and revocation.
 */
import type {
  Attestation,
  Call,
  Connection,
  EndpointRegistryClient,
  EndpointRegistryServer,
  MonitorClient,
  MonitorServer,
  NetworkServiceClient,
  NetworkServiceServer,
  Outgoing,
  RegistrationPath,
  RegistryClient,
  RegistryServer,
  ServiceRegistryClient,
  ServiceRegistryServer,
  TokenBinding,
} from '../api/index.ts'
import { type Clock, NsmError } from '../base/index.ts'
import { type IdentitySource, type TokenMinter, verifySvid } from '../identity/index.ts'
import { extendPath } from './call-metadata.ts'

export interface InProcessOptions {
  /** Who calls. Asked at each call: an identity that is not there yet fails the call that needs it. */
  readonly caller: () => Promise<IdentitySource>
  /** What the kernel would say of the caller's process, if it called itself; undefined for the daemon. */
  readonly attestation: Attestation | undefined
  /** Who is called. */
  readonly callee: () => Promise<IdentitySource>
  readonly isRevoked: (spiffeId: string) => boolean
  readonly minter: TokenMinter
  readonly clock: Clock
}

/** One party's calls to another one of this process, by the interfaces that gRPC has between processes. */
export class InProcess {
  readonly #options: InProcessOptions

  constructor(options: InProcessOptions) {
    this.#options = options
  }

  networkService(server: NetworkServiceServer): NetworkServiceClient {
    const about = ({ id, networkService }: Connection) => ({ connection: id, service: networkService })
    return {
      request: async (request, { signal }) =>
        server.request(request, await this.#call({ signal, binding: about(request.connection) })),
      close: async (connection, { signal }) =>
        server.close(connection, await this.#call({ signal, binding: about(connection) })),
    }
  }

  monitor(server: MonitorServer): MonitorClient {
    const call = (outgoing: Outgoing) => this.#call(outgoing)
    return {
      async *monitor(selector, outgoing) {
        yield* server.monitor(selector, await call(outgoing))
      },
    }
  }

  services(server: ServiceRegistryServer): ServiceRegistryClient {
    return this.#registry(server)
  }

  endpoints(server: EndpointRegistryServer): EndpointRegistryClient {
    return this.#registry(server)
  }

  #registry<T, Q>(server: RegistryServer<T, Q>): RegistryClient<T, Q> {
    const call = (outgoing: Outgoing) => this.#call({ ...outgoing, path: outgoing.path ?? { index: 0, tokens: [] } })
    return {
      register: async (value, outgoing) => server.register(value, await call(outgoing)),
      unregister: async (value, outgoing) => server.unregister(value, await call(outgoing)),
      async *find(query, outgoing) {
        yield* server.find(query, await call(outgoing))
      },
    }
  }

  async #call({ signal, binding, path }: Outgoing): Promise<Call> {
    const { attestation, minter, clock } = this.#options
    const caller = (await this.#options.caller()).current()
    const callee = (await this.#options.callee()).current()
    signal.throwIfAborted()
    const { chain } = caller.svid
    const spiffeId = verifySvid(chain, callee.bundles, clock.nowMs()).spiffeId.id
    this.#checkRevoked(spiffeId)
    const token = (audience: string, about?: TokenBinding) => minter.token(caller.svid, audience, about)
    const own = token(callee.svid.spiffeId, binding)
    const answering = () => minter.token(callee.svid, spiffeId).jwt
    return {
      peer: { spiffeId, chain, attestation, isConnected: () => true },
      token: own,
      ...pathOf(path, own.jwt, answering),
      signal,
    }
  }

  #checkRevoked(spiffeId: string): void {
    if (!this.#options.isRevoked(spiffeId)) return
    throw new NsmError('unauthenticated', 'Cannot accept the caller: its identity is revoked', { fields: { spiffeId } })
  }
}

function pathOf(path: RegistrationPath | undefined, callers: string, answering: () => string): Pick<Call, 'path'> {
  return path === undefined ? {} : { path: extendPath(path, callers, answering()) }
}
