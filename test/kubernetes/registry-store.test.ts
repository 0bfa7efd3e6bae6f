/** The registry's store on a real API server: the suite of all stores, and what only several registries at once can show. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger, systemClock } from '../../pkg/base/index.ts'
import type { KubeClient } from '../../pkg/kube/index.ts'
import { type KubeStore, openKubeStore } from '../../pkg/registry/index.ts'
import { endpoint, Reader, registryStoreConformance, service } from '../../pkg/registry/testing/index.ts'
import { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import { clientOf, clientWithoutWatches, installResources, makeNamespace } from './api-clients.ts'
import { ApiServer } from './api-server.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 120_000
const missing = missingForKubernetes()

describe.skipIf(missing !== undefined)('the registry on the API server', () => {
  let lab: Lab
  let api: ApiServer
  let client: KubeClient

  beforeAll(async () => {
    lab = await Lab.create()
    api = await ApiServer.start(lab)
    await installResources(api)
    client = await clientOf(api)
  }, SETUP_MS)
  afterAll(async () => {
    client?.close()
    await lab?.close()
  }, SETUP_MS)

  const open = (namespace: string, of = client) =>
    openKubeStore({ client: of, namespace, clock: systemClock, logger: silentLogger })

  registryStoreConformance('API server', async () => {
    const store = await open(await makeNamespace(client))
    return { store, close: () => store.close() }
  })

  describe('two registries', () => {
    let namespace: string
    let a: KubeStore
    let b: KubeStore
    const opened: KubeStore[] = []

    async function openTwo(): Promise<void> {
      namespace = await makeNamespace(client)
      a = await open(namespace)
      b = await open(namespace)
      opened.push(a, b)
    }
    afterAll(() => Promise.all(opened.map((store) => store.close())))

    test('see what the other writes, in one order', async () => {
      await openTwo()
      const { revision } = await b.endpoints.list({})
      const reader = new Reader(b.endpoints.watch(revision, AbortSignal.timeout(10_000)))
      for (const name of ['one', 'two']) await a.endpoints.put(endpoint(name))
      await a.endpoints.remove('one')
      expect(await reader.next()).toMatchObject({ value: { name: 'one' }, deleted: false })
      expect(await reader.next()).toMatchObject({ value: { name: 'two' }, deleted: false })
      expect(await reader.next()).toMatchObject({ value: { name: 'one' }, deleted: true })
    })

    test('give a name to one owner, however many ask at once', async () => {
      await openTwo()
      const tries = Array.from({ length: 20 }, async (_, index) => {
        const owner = `spiffe://west/node/n${index}`
        await [a, b][index % 2]?.endpoints.put(endpoint('nse', { pathIds: [owner] }))
        return owner
      })
      const outcomes = await Promise.allSettled(tries)
      const won = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      expect(won).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'permission_denied' })
      }
      await until('both know the owner', async () => (await b.endpoints.get('nse'))?.pathIds[0] === won[0])
    })

    test('lose no renewal when all renew at once', async () => {
      await openTwo()
      const renewals = Array.from({ length: 20 }, (_, index) => index)
      await Promise.all(renewals.map((ms) => [a, b][ms % 2]?.endpoints.put(endpoint('nse', { registeredMs: ms }))))
      await until('both agree', async () => {
        const [one, two] = [await a.endpoints.list({}), await b.endpoints.list({})]
        return one.revision === two.revision
      })
      expect(await a.endpoints.get('nse')).toEqual(await b.endpoints.get('nse'))
    })

    test('never remove what was renewed at the other, though their own copy has it as expired', async () => {
      await openTwo()
      const stop = new AbortController()
      const reader = new Reader(b.endpoints.watch((await b.endpoints.list({})).revision, stop.signal))
      await a.endpoints.put(endpoint('nse', { expiresMs: 1_000 }))
      for (let round = 1; round <= 50; round += 1) {
        const [renews, removes] = round % 2 === 0 ? [a, b] : [b, a]
        const renewed = renews.endpoints.put(endpoint('nse', { expiresMs: (round + 1) * 1_000 }))
        // Both at once: the other may not have heard of the renewal yet.
        const removed = removes.endpoints.removeExpired((round + 1) * 1_000 - 1)
        await Promise.all([renewed, removed])
        await until('the other has heard of it', async () => {
          return (await removes.endpoints.get('nse'))?.expiresMs === (round + 1) * 1_000
        })
      }
      let changes = 0
      while (!(await reader.isIdle())) {
        const change = await reader.next()
        changes += 1
        // What was expired when it was asked about may go; a renewal brings it back.
        if (change?.deleted === true) expect(change.value.expiresMs).toBeLessThan(51_000)
      }
      expect(changes).toBeGreaterThanOrEqual(51)
      expect(await a.endpoints.get('nse')).toMatchObject({ expiresMs: 51_000 })
      stop.abort()
    })
  })

  test('a service that kubectl applies is there at once, and gone when it is deleted', async () => {
    const namespace = await makeNamespace(client)
    const store = await open(namespace)
    const reader = new Reader(
      store.services.watch((await store.services.list({})).revision, AbortSignal.timeout(20_000)),
    )
    const manifest = `{apiVersion: networkservicemesh.io/v1, kind: NetworkService, metadata: {name: db, namespace: ${namespace}},
      spec: {payload: IP, matches: [{source_selector: {app: web}, routes: [{destination_selector: {version: v2}, weight: 1}]}]}}`
    await api.kubectl(['apply', '-f', '-'], { input: manifest })
    const routes = [{ destinationSelector: { version: 'v2' }, weight: 1 }]
    const matches = [{ sourceSelector: { app: 'web' }, routes, fallthrough: false, metadata: undefined }]
    expect((await reader.next())?.value).toEqual(service('db', { matches, pathIds: [] }))
    await api.kubectl(['delete', '-n', namespace, 'netsvc', 'db'])
    expect(await reader.next()).toMatchObject({ value: { name: 'db' }, deleted: true })
    await store.close()
  })

  test('tells in the status of a service how many endpoints serve it', async () => {
    const namespace = await makeNamespace(client)
    const store = await open(namespace)
    await store.services.put(service('files'))
    const shown = (count: number) => async () => {
      const columns = await api.kubectl(['-n', namespace, 'get', 'netsvc', '--no-headers'])
      return new RegExp(`^files +IP +${count} `).test(columns)
    }
    for (const name of ['a', 'b']) await store.endpoints.put(endpoint(name))
    await until('two endpoints', shown(2))
    await store.endpoints.put(endpoint('a', { networkServiceNames: ['db'] }))
    await until('one endpoint', shown(1))
    // As a tool does that makes objects anew.
    await api.kubectl(['-n', namespace, 'delete', 'netsvc', 'files'])
    await store.services.put(service('files'))
    await until('one endpoint of the new object', shown(1))
    await store.endpoints.remove('b')
    await until('no endpoint', shown(0))
    expect(await store.services.get('files')).toEqual(service('files'))
    await store.close()
  })

  test('keeps labels and annotations that others have put on an object', async () => {
    const namespace = await makeNamespace(client)
    const store = await open(namespace)
    await store.endpoints.put(endpoint('nse'))
    await api.kubectl(['-n', namespace, 'label', 'nse', 'nse', 'team=storage'])
    await store.endpoints.put(endpoint('nse', { url: 'tcp://192.0.2.9:5001' }))
    const labels = ['-n', namespace, 'get', 'nse', 'nse', '-o', 'jsonpath={.metadata.labels.team} {.spec.url}']
    expect(await api.kubectl(labels)).toBe('storage tcp://192.0.2.9:5001')
    await store.close()
  })

  test.each([
    ['a payload that is none', 'NetworkService', { payload: 'ATM' }, 'Unsupported value: "ATM"'],
    ['too many matches', 'NetworkService', { matches: Array.from({ length: 65 }, () => ({})) }, 'at most 64 items'],
    [
      'a label that is too long',
      'NetworkService',
      { matches: [{ source_selector: { a: 'x'.repeat(257) } }] },
      'may not be more than 256',
    ],
    ['a URL that is too long', 'NetworkServiceEndpoint', { url: 'x'.repeat(2_049) }, 'may not be more than 2048'],
    ['text for a number', 'NetworkServiceEndpoint', { expiration_time: { seconds: 'now' } }, 'must be of type integer'],
  ])('refuses %s at kubectl apply', async (_, kind, spec, reason) => {
    const object = {
      apiVersion: 'networkservicemesh.io/v1',
      kind,
      metadata: { name: 'bad', namespace: 'default' },
      spec,
    }
    const { code, stderr } = await api.tryKubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })
    expect(code).not.toBe(0)
    expect(stderr).toContain(reason)
  })

  test(
    'serves on while the API server is away, refuses to write, and catches up when it is back',
    async () => {
      const store = await open(await makeNamespace(client))
      await store.endpoints.put(endpoint('before'))
      const { revision } = await store.endpoints.list({})
      const reader = new Reader(store.endpoints.watch(revision, new AbortController().signal))
      await api.server.stop('SIGKILL')
      expect((await store.endpoints.list({})).values).toEqual([endpoint('before')])
      await expect(store.endpoints.put(endpoint('during'))).rejects.toMatchObject({ code: 'unavailable' })
      api.server.start()
      await api.ready()
      await store.endpoints.put(endpoint('after'))
      expect(await reader.next()).toMatchObject({ value: { name: 'after' } })
      await store.close()
    },
    SETUP_MS,
  )

  test(
    'finds out what has changed when the API server has forgotten the changes',
    async () => {
      const namespace = await makeNamespace(client)
      const { client: cutOff, watches } = await clientWithoutWatches(api)
      const store = await open(namespace, cutOff)
      for (const name of ['kept', 'removed']) await store.endpoints.put(endpoint(name))
      const { revision } = await store.endpoints.list({})
      const reader = new Reader(store.endpoints.watch(revision, new AbortController().signal))
      watches.stop()
      const writer = await open(namespace)
      await writer.endpoints.remove('removed')
      await writer.endpoints.put(endpoint('new'))
      await writer.close()
      expect(await reader.isIdle()).toBe(true)
      await api.server.stop('SIGKILL') // it remembers from its start on
      api.server.start()
      await api.ready()
      watches.resume()
      const changes = [await reader.next(), await reader.next()]
      const seen = changes.map((change) => `${change?.value.name} ${change?.deleted ? 'gone' : 'there'}`)
      expect(seen.sort()).toEqual(['new there', 'removed gone'])
      expect(watches.refusals).toContain(410)
      await store.close()
      cutOff.close()
    },
    SETUP_MS,
  )
})

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
