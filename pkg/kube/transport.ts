/**
 * HTTPS to the API server. Calls share a few connections that stay open; a watch has one to itself. The certificate
 * authority and the credentials are read again for each call, because the kubelet renews their files.
 */
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { NsmError, VERSION } from '../base/index.ts'

/** Further calls wait for one of them. */
const MAX_CONNECTIONS = 16
/** Less than the time after which a server or a load balancer drops an idle connection without a word. */
const IDLE_MS = 30_000

export interface Credentials {
  /** PEM. */
  readonly authorities: string
  readonly token?: string
  readonly certificate?: string
  readonly key?: string
}

export interface Cluster {
  /** https://host:port, with a path where the API server is behind a proxy. */
  readonly server: string
  /** The name in the server's certificate, where it is not that of the URL. */
  readonly serverName?: string
  credentials(): Promise<Credentials>
}

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With its query. */
  readonly path: string
  readonly contentType?: string
  readonly body?: string
  /** On a connection of its own. */
  readonly isWatch?: boolean
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  /** Ends early with an error when `signal` aborts or the connection breaks. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface Transport {
  /** @throws {NsmError} `unavailable` when the API server does not answer; the reason of the signal when it aborts */
  exchange(exchange: Exchange): Promise<Answer>
  close(): void
}

export function httpsTransport(cluster: Cluster): Transport {
  const calls = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_MS })
  const watches = new Agent()
  return {
    async exchange(exchange) {
      const agent = exchange.isWatch === true ? watches : calls
      const answer = await send({ ...optionsOf(exchange, cluster, await cluster.credentials()), agent }, exchange)
      return { status: answer.statusCode ?? 0, body: bodyOf(answer, exchange) }
    },
    close() {
      calls.destroy()
      watches.destroy()
    },
  }
}

function optionsOf({ method, path, contentType, body }: Exchange, cluster: Cluster, credentials: Credentials) {
  const { hostname, port, pathname } = new URL(cluster.server)
  const { authorities, token, certificate, key } = credentials
  const options: RequestOptions = {
    method,
    hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 443 : port,
    path: `${pathname.replace(/\/$/, '')}${path}`,
    ca: authorities,
    minVersion: 'TLSv1.2',
    headers: {
      accept: 'application/json',
      'user-agent': `nsmesh/${VERSION}`,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined
        ? {}
        : { 'content-type': contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
    },
  }
  const identity = certificate === undefined || key === undefined ? {} : { cert: certificate, key }
  const name = cluster.serverName === undefined ? {} : { servername: cluster.serverName }
  return { ...options, ...identity, ...name }
}

function send(options: RequestOptions, { body, signal }: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ ...options, signal })
    request.on('error', (cause) => reject(failure(cause, signal)))
    request.on('response', resolve)
    request.end(body)
  })
}

async function* bodyOf(answer: IncomingMessage, { signal }: Exchange): AsyncGenerator<Uint8Array> {
  try {
    yield* answer
  } catch (error) {
    throw failure(error, signal)
  }
}

function failure(cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  return new NsmError('unavailable', 'Cannot reach the API server', { cause })
}
