import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import {
  asConnecting,
  type Connection,
  type ConnectionEvent,
  type ConnectionRequest,
  type ConnectionState,
  type MonitorClient,
  type NetworkServiceClient,
  type Outgoing,
} from '../api/index.ts'
import { NsmError, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { KeptWire, type KeptWireOptions, KeptWires, parseNetworkServices, parseNsmUrl } from './index.ts'

const TOKEN_LIFE_MS = 600_000

/** The connection as the monitor of its node shows it. */
function shown(state: ConnectionState): Connection {
  const segments = [{ name: 'node', id: 'n1', token: '', expiresMs: undefined, metrics: {} }]
  return { state, path: { index: 0, segments } } as unknown as Connection
}

/** A mesh of one node, which answers requests; a test can make it refuse them or report events. */
class FakeMesh implements NetworkServiceClient, MonitorClient {
  readonly clock = new FakeClock()
  readonly requests: ConnectionRequest[] = []
  readonly closed: Connection[] = []
  readonly refusals: Error[] = []
  isSilent = false
  /** How the monitor shows the connection first. */
  first = shown('UP')
  #report = Promise.withResolvers<ConnectionEvent | Error>()
  watchers = 0

  async request(request: ConnectionRequest, { signal }: Outgoing): Promise<Connection> {
    this.requests.push(request)
    if (this.isSilent) await once(signal, 'abort').then(() => signal.throwIfAborted())
    const refusal = this.refusals.shift()
    if (refusal !== undefined) throw refusal
    const expiresMs = this.clock.nowMs() + TOKEN_LIFE_MS
    const segments = [
      ...request.connection.path.segments.slice(0, 1),
      { name: 'node', id: 'n1', token: '', metrics: {} },
    ]
    return {
      ...request.connection,
      mechanism: request.mechanismPreferences[0],
      endpointName: request.connection.endpointName || 'nse-1',
      path: { index: 0, segments: segments.map((segment) => ({ ...segment, expiresMs })) },
      state: 'UP',
    }
  }

  async close(connection: Connection): Promise<void> {
    this.closed.push(connection)
  }

  async *monitor(_: unknown, { signal }: { signal: AbortSignal }): AsyncIterable<ConnectionEvent> {
    this.watchers += 1
    try {
      yield { type: 'INITIAL_STATE_TRANSFER', connections: new Map([['n1', this.first]]) }
      const aborted = new Promise<Error>((resolve) => {
        if (signal.aborted) resolve(new Error('left'))
        signal.addEventListener('abort', () => resolve(new Error('left')))
      })
      const event = await Promise.race([this.#report.promise, aborted])
      this.#report = Promise.withResolvers()
      if (event instanceof Error) throw event
      yield event
    } finally {
      this.watchers -= 1
    }
  }

  report(event: ConnectionEvent | Error): void {
    this.#report.resolve(event)
  }
}

const opened: { wire: KeptWire; mesh: FakeMesh }[] = []

afterEach(async () => {
  for (const { wire, mesh } of opened.splice(0)) {
    await wire.close()
    await mesh.clock.advance(0)
    expect(mesh.watchers).toBe(0)
    expect(mesh.clock.pending).toBe(0)
  }
})

function keep(
  mesh: FakeMesh,
  isRetried = (_: unknown) => true,
  told: Pick<KeptWireOptions, 'onState' | 'onFailure'> = {},
): KeptWire {
  const { clock } = mesh
  const common = { services: mesh, monitor: mesh, clock, logger: silentLogger, requestTimeoutMs: 15_000, isRetried }
  const options = { ...common, ...told }
  const wanted = {
    client: 'app',
    id: 'app-0',
    url: parseNsmUrl('kernel://files@east/nsm-1?tier=web'),
    labels: { app: 'x' },
  }
  const wire = KeptWire.open(wanted, options)
  opened.push({ wire, mesh })
  return wire
}

test('KeptWire requests with its labels, its interface and a path of one segment', async () => {
  const mesh = new FakeMesh()
  await keep(mesh).up
  const [{ connection, mechanismPreferences } = expect.fail('no request')] = mesh.requests
  expect(connection).toMatchObject({ id: 'app-0', networkService: 'files@east', labels: { app: 'x', tier: 'web' } })
  expect(connection.path.segments.map(({ name, id }) => `${name}/${id}`)).toEqual(['app/app-0'])
  expect(mechanismPreferences).toMatchObject([{ cls: 'LOCAL', type: 'KERNEL', parameters: { name: 'nsm-1' } }])
})

test('KeptWire is up when packets have passed both ways, and not when its node has answered', async () => {
  const mesh = new FakeMesh()
  mesh.first = asConnecting(shown('UP'))
  const wire = keep(mesh)
  await mesh.clock.advance(1_000)
  expect(wire.state.at).toBe('connecting')
  mesh.report({ type: 'UPDATE', connections: new Map([['n1', shown('UP')]]) })
  await wire.up
  expect(wire.state.at).toBe('up')
})

test('KeptWire retries with backoff until the mesh answers', async () => {
  const mesh = new FakeMesh()
  mesh.refusals.push(...Array.from({ length: 3 }, () => new NsmError('unavailable', 'away')))
  const wire = keep(mesh)
  await mesh.clock.advance(5_000)
  expect((await wire.up).endpointName).toBe('nse-1')
  expect(mesh.requests).toHaveLength(4)
})

test('KeptWire gives up on an error that is not retried', async () => {
  const mesh = new FakeMesh()
  mesh.refusals.push(new NsmError('permission_denied', 'no'))
  const wire = keep(mesh, () => false)
  await expect(wire.up).rejects.toThrow('no')
  await expect(wire.ended).rejects.toThrow('no')
  expect(wire.state.at).toBe('closed')
})

test('KeptWire refreshes the same wire after a fifth of its lifetime', async () => {
  const mesh = new FakeMesh()
  await keep(mesh).up
  await mesh.clock.advance(TOKEN_LIFE_MS / 5 - 1)
  expect(mesh.requests).toHaveLength(1)
  await mesh.clock.advance(1)
  expect(mesh.requests).toHaveLength(2)
  expect(mesh.requests[1]?.connection).toMatchObject({
    endpointName: 'nse-1',
    state: 'UP',
    mechanism: { type: 'KERNEL' },
  })
})

test('KeptWire heals immediately when the wire is down, and reselects when that is refused', async () => {
  const mesh = new FakeMesh()
  await keep(mesh).up
  await mesh.clock.advance(0)
  mesh.refusals.push(new NsmError('not_found', 'the endpoint is gone'))
  mesh.report({ type: 'UPDATE', connections: new Map([['n1', shown('DOWN')]]) })
  await mesh.clock.advance(1_000)
  expect(mesh.requests.map(({ connection }) => [connection.state, connection.endpointName])).toEqual([
    ['UP', ''],
    ['UP', 'nse-1'],
    ['RESELECT_REQUESTED', ''],
  ])
})

test('KeptWire refreshes when the mesh asks for it, and more slowly when it asks again and again', async () => {
  const mesh = new FakeMesh()
  await keep(mesh).up
  await mesh.clock.advance(0)
  const ask = async () => {
    mesh.report({ type: 'UPDATE', connections: new Map([['n1', shown('REFRESH_REQUESTED')]]) })
    await mesh.clock.advance(0)
  }
  await ask()
  expect(mesh.requests.map(({ connection }) => connection.endpointName)).toEqual(['', 'nse-1'])
  for (let times = 0; times < 5; times++) await ask()
  expect(mesh.requests.length).toBe(2)
  await mesh.clock.advance(1_000)
  expect(mesh.requests.length).toBeGreaterThan(2)
  expect(mesh.requests.length).toBeLessThan(6)
})

test('KeptWire requests its wire again after the node was unreachable, and keeps the endpoint', async () => {
  const mesh = new FakeMesh()
  await keep(mesh).up
  await mesh.clock.advance(0)
  mesh.report(new NsmError('unavailable', 'restarting'))
  await mesh.clock.advance(1_000)
  expect(mesh.requests[1]?.connection.endpointName).toBe('nse-1')
})

test('KeptWire reselects when the wire expires before a refresh succeeds', async () => {
  const mesh = new FakeMesh()
  const wire = keep(mesh)
  await wire.up
  mesh.refusals.push(...Array.from({ length: 300 }, () => new NsmError('unavailable', 'away')))
  await mesh.clock.advance(TOKEN_LIFE_MS - 10_000)
  expect(mesh.requests.every(({ connection }) => connection.state === 'UP')).toBe(true)
  await mesh.clock.advance(20_000)
  expect(mesh.requests.at(-1)?.connection.state).toBe('RESELECT_REQUESTED')
})

test('KeptWire closes its wire, once', async () => {
  const mesh = new FakeMesh()
  const wire = keep(mesh)
  await wire.up
  await wire.close()
  expect(mesh.closed.map(({ id }) => id)).toEqual(['app-0'])
  expect(wire.state.at).toBe('closed')
})

test('KeptWires keeps one wire for each URL, and closes all that it can', async () => {
  const mesh = new FakeMesh()
  const { clock } = mesh
  const options = { services: mesh, monitor: mesh, clock, logger: silentLogger, requestTimeoutMs: 15_000 }
  const urls = parseNetworkServices('kernel://files/nsm-1,kernel://mail/nsm-2')
  const wires = new KeptWires(urls, { client: 'app', labels: {}, ...options })
  await clock.advance(0)
  expect(mesh.requests.map(({ connection }) => connection.id)).toEqual(['app-0', 'app-1'])
  mesh.close = async (connection) => {
    if (connection.id === 'app-0') throw new NsmError('unavailable', 'away')
    mesh.closed.push(connection)
  }
  await expect(wires.close()).rejects.toThrow('Cannot close every wire')
  expect(mesh.closed.map(({ id }) => id)).toEqual(['app-1'])
  expect(clock.pending).toBe(0)
})

test('KeptWire says how it is, and why it is not up', async () => {
  const mesh = new FakeMesh()
  mesh.refusals.push(new NsmError('not_found', 'no such service'))
  const said: string[] = []
  const wire = keep(mesh, () => true, {
    onState: ({ at }) => said.push(at),
    onFailure: (error) => said.push(String(error)),
  })
  await mesh.clock.advance(5_000)
  await wire.close()
  expect(said).toEqual(['NsmError: no such service', 'connecting', 'up', 'closed'])
})

test('KeptWire leaves the wire standing when it is told to', async () => {
  const mesh = new FakeMesh()
  const wire = keep(mesh)
  await wire.up
  await wire.leave()
  expect([mesh.closed.length, wire.state.at]).toEqual([0, 'closed'])
})

test('KeptWire closes also what it has asked for and got no answer about', async () => {
  const mesh = new FakeMesh()
  mesh.isSilent = true
  const wire = keep(mesh)
  wire.up.catch(() => {})
  await wire.close()
  expect(mesh.closed).toMatchObject([{ id: 'app-0', path: { index: 0, segments: [{ name: 'app', id: 'app-0' }] } }])
})
