import { describe, expect, test } from 'vitest'
import { NsmError } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { KubeClient } from './client.ts'
import {
  AlreadyExistsError,
  ConflictError,
  ForbiddenError,
  GoneError,
  InvalidError,
  KubeError,
  NotFoundError,
} from './errors.ts'
import type { KubeObject, Resource } from './objects.ts'
import { type ScriptedAnswer, ScriptedTransport } from './testing/scripted-transport.ts'
import type { Exchange } from './transport.ts'

interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName: string }
}

const pods: Resource<Pod> = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', isNamespaced: true }
const services: Resource<KubeObject> = {
  group: 'networkservicemesh.io',
  version: 'v1',
  kind: 'NetworkService',
  plural: 'networkservices',
  isNamespaced: true,
}

function clientOf(answer: (exchange: Exchange) => ScriptedAnswer | AsyncIterable<string> | Error) {
  const transport = new ScriptedTransport(answer)
  return { transport, client: new KubeClient({ transport, clock: new FakeClock(), random: () => 0.5 }) }
}

const pod = { metadata: { name: 'a', namespace: 'shop', resourceVersion: '7' } }

describe('KubeClient', () => {
  test.each<[string, (client: KubeClient) => Promise<unknown>, Partial<Exchange>]>([
    ['get', (c) => c.get(pods, pod.metadata), { method: 'GET', path: '/api/v1/namespaces/shop/pods/a' }],
    [
      'get of a subresource',
      (c) => c.get(pods, pod.metadata, { subresource: 'status' }),
      { method: 'GET', path: '/api/v1/namespaces/shop/pods/a/status' },
    ],
    [
      'create',
      (c) => c.create(services, { metadata: { name: 'db', namespace: 'mesh' } }),
      {
        method: 'POST',
        path: '/apis/networkservicemesh.io/v1/namespaces/mesh/networkservices',
        body: '{"metadata":{"name":"db","namespace":"mesh"},"apiVersion":"networkservicemesh.io/v1","kind":"NetworkService"}',
      },
    ],
    ['update', (c) => c.update(pods, pod), { method: 'PUT', path: '/api/v1/namespaces/shop/pods/a' }],
    [
      'patch',
      (c) => c.patch(pods, pod.metadata, { type: 'strategic', subresource: 'status', body: { status: {} } }),
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/shop/pods/a/status',
        contentType: 'application/strategic-merge-patch+json',
        body: '{"status":{}}',
      },
    ],
    [
      'remove with preconditions',
      (c) => c.remove(pods, pod.metadata, { resourceVersion: '7' }),
      {
        method: 'DELETE',
        path: '/api/v1/namespaces/shop/pods/a',
        body: '{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"resourceVersion":"7"}}',
      },
    ],
    [
      'a name that is no name',
      (c) => c.get(pods, { name: '../../secrets/x?', namespace: 'a/b' }),
      { path: '/api/v1/namespaces/a%2Fb/pods/..%2F..%2Fsecrets%2Fx%3F' },
    ],
  ])('calls the API server as it wants to be called: %s', async (_, call, expected) => {
    const { transport, client } = clientOf(() => ({ body: pod }))
    await call(client)
    expect(transport.asked[0]).toMatchObject(expected)
  })

  test('lists in pages', async () => {
    const { transport, client } = clientOf(({ path }) =>
      path.includes('continue=')
        ? { body: { metadata: { resourceVersion: '9' }, items: [{ metadata: { name: 'b' } }] } }
        : { body: { metadata: { resourceVersion: '9', continue: 'more=&' }, items: [{ metadata: { name: 'a' } }] } },
    )
    const list = await client.list(pods, { fieldSelector: 'spec.nodeName=n1', limit: 1 })
    expect(list).toEqual({ resourceVersion: '9', items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] })
    expect(transport.asked.map(({ path }) => path)).toEqual([
      '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1&limit=1',
      '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1&limit=1&continue=more%3D%26',
    ])
  })

  test.each([
    [404, 'NotFound', NotFoundError, 'not_found'],
    [409, 'AlreadyExists', AlreadyExistsError, 'already_exists'],
    [409, 'Conflict', ConflictError, 'failed_precondition'],
    [410, 'Expired', GoneError, 'failed_precondition'],
    [403, 'Forbidden', ForbiddenError, 'unavailable'],
    [422, 'Invalid', InvalidError, 'invalid_argument'],
    [401, 'Unauthorized', KubeError, 'unavailable'],
    [413, 'RequestEntityTooLarge', KubeError, 'resource_exhausted'],
    [500, 'InternalError', KubeError, 'unavailable'],
  ])('%i %s is an error of its own, in the words of the server', async (code, reason, type, expected) => {
    const body = { kind: 'Status', code, reason, message: 'pods "a" \u001b[31mis so' }
    const error = await clientOf(() => ({ status: code, body }))
      .client.get(pods, pod.metadata)
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(type)
    expect(error).toMatchObject({ code: expected, reason, serverMessage: 'pods "a" \\u001b[31mis so' })
  })

  test('a proxy that answers in no words of the API server is away', async () => {
    const { client } = clientOf(() => ({ status: 502, body: '<html>' }))
    await expect(client.get(pods, pod.metadata)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('what is longer than an object can be is not read', async () => {
    const { client } = clientOf(async function* () {
      const part = 'x'.repeat(2 ** 20)
      for (let count = 0; count < 100; count += 1) yield part
    })
    await expect(client.get(pods, pod.metadata)).rejects.toMatchObject({ code: 'resource_exhausted' })
  })

  test('a call that is not answered ends', async () => {
    const clock = new FakeClock()
    const transport = {
      exchange: ({ signal }: Exchange) =>
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      close() {},
    }
    const call = new KubeClient({ transport, clock }).get(pods, pod.metadata)
    const outcome = expect(call).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await clock.advance(10_000)
    await outcome
  })
})

describe('KubeClient.watch', () => {
  async function watched(...parts: readonly string[]) {
    const { transport, client } = clientOf(async function* () {
      yield* parts
    })
    const seen: unknown[] = []
    const { signal } = new AbortController()
    const reading = async () => {
      for await (const event of client.watch(pods, { resourceVersion: '7', signal })) seen.push(event)
    }
    const error = await reading().catch((error: unknown) => error)
    return { seen, error, path: transport.asked[0]?.path }
  }

  test('reads one event a line, however the lines are cut', async () => {
    const text = `{"type":"ADDED","object":{"metadata":{"name":"ä"}}}\n{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n{"type":"DEL`
    const bytes = Buffer.from(text)
    for (const size of [1, 3, 1_000]) {
      const transport = {
        exchange: async () => ({
          status: 200,
          body: (async function* () {
            for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
          })(),
        }),
        close() {},
      }
      const client = new KubeClient({ transport, clock: new FakeClock() })
      const seen: unknown[] = []
      const { signal } = new AbortController()
      for await (const event of client.watch(pods, { resourceVersion: '7', signal })) seen.push(event)
      expect(seen).toEqual([
        { type: 'ADDED', object: { metadata: { name: 'ä' } } },
        { type: 'BOOKMARK', resourceVersion: '9' },
      ])
    }
  })

  test('asks for bookmarks, and for an end after about a minute', async () => {
    expect((await watched()).path).toBe(
      '/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=60',
    )
  })

  test('ends with the error that the server sends', async () => {
    const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 7 (90)' }
    const { error } = await watched(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)
    expect(error).toBeInstanceOf(GoneError)
  })

  test('ends when a connection is silent for longer than the server would be', async () => {
    const clock = new FakeClock()
    const transport = new ScriptedTransport(({ signal }) => silentUntil(signal))
    const client = new KubeClient({ transport, clock, random: () => 0.5 })
    const { signal } = new AbortController()
    const first = client.watch(pods, { resourceVersion: '7', signal })[Symbol.asyncIterator]().next()
    const outcome = expect(first).rejects.toMatchObject({ code: 'unavailable' })
    await clock.advance(70_000)
    await outcome
    expect(clock.pending).toBe(0)
  })
})

async function* silentUntil(signal: AbortSignal): AsyncGenerator<string> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  throw signal.reason ?? new NsmError('internal', 'no reason')
}
