/** Shared by the tests of this folder: an authority, identities that it issued, a server, and channels to it. */
import { onTestFinished } from 'vitest'
import { type Call, type Connection, type ConnectionEvent, emptyContext } from '../../api/index.ts'
import { type Clock, silentLogger, systemClock } from '../../base/index.ts'
import {
  Authority,
  createAuthorityMaterial,
  type Identity,
  type IssueIdentityOptions,
  issueIdentity,
  type StaticSource,
  staticSource,
} from '../../identity/index.ts'
import { Channel, type DialOptions } from '../channel.ts'
import { monitorService, networkService } from '../nsm-services.ts'
import { type ServeOptions, type Server, serve } from '../serve.ts'

export async function newAuthority(domain = 'east', clock: Clock = systemClock): Promise<Authority> {
  return new Authority(await createAuthorityMaterial(domain, clock), clock)
}

/** Issues the identity `name` in the trust domain of the authority. */
export function newIdentity(
  authority: Authority,
  name: string,
  options: Partial<IssueIdentityOptions> = {},
): Promise<Identity> {
  return issueIdentity(authority, { spiffeId: `spiffe://${authority.trustDomain}/${name}`, ...options })
}

export async function newSource(authority: Authority, name: string): Promise<StaticSource> {
  return staticSource(await newIdentity(authority, name))
}

/** Starts a server, on loopback unless `options` say otherwise, and closes it at the end of the test. */
export async function startServer(options: Pick<ServeOptions, 'security'> & Partial<ServeOptions>): Promise<Server> {
  const server = await serve({
    listen: 'tcp://127.0.0.1:0',
    services: [],
    clock: systemClock,
    logger: silentLogger,
    ...options,
  })
  onTestFinished(() => server.close())
  return server
}

export function openChannel(url: string, options: Pick<DialOptions, 'security'> & Partial<DialOptions>): Channel {
  const channel = new Channel(url, { clock: systemClock, ...options })
  onTestFinished(() => channel.close())
  return channel
}

export function soon(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(5000) }
}

export const connection: Connection = {
  id: 'c-1',
  networkService: 'db',
  mechanism: undefined,
  context: emptyContext,
  labels: {},
  path: { index: 0, segments: [] },
  endpointName: '',
  payload: 'IP',
  state: 'UP',
}

export const request = { connection, mechanismPreferences: [] }

/** A NetworkService that returns the requested connection and records the calls. */
export function echoService() {
  const calls: Call[] = []
  const service = networkService({
    async request({ connection }, call) {
      calls.push(call)
      return connection
    },
    async close() {},
  })
  return { calls, service }
}

/** A MonitorConnection that yields `events` and then stays open until the caller disconnects. */
export function eventService(events: readonly ConnectionEvent[]) {
  const state = { open: 0 }
  const service = monitorService({
    async *monitor(_, { signal }) {
      state.open += 1
      try {
        yield* events
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      } finally {
        state.open -= 1
      }
    },
  })
  return { state, service }
}
