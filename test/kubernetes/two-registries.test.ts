/**
 * A domain whose two registries share the API server, and have no volume. Its nodes prove themselves by the tokens of
 * their pods, and call a Service: a proxy that goes to the one or to the other.
 */
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../pkg/base/index.ts'
import type { KubeClient, KubeObject } from '../../pkg/kube/index.ts'
import { type EndpointObject, endpointResource } from '../../pkg/registry/store/kubernetes/endpoint-object.ts'
import { freePort } from '../lab/free-port.ts'
import { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'
import { clientOf, installResources } from './api-clients.ts'
import { ApiServer } from './api-server.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 120_000
const missing = missingForKubernetes()
const EXPIRY_MS = 10_000
const SYSTEM = { namespace: 'nsm-system' }

describe.skipIf(missing !== undefined)('two registries at one API server', () => {
  const sandbox = new Sandbox()
  let lab: Lab
  let api: ApiServer
  let client: KubeClient
  let service: Service
  let a: SandboxDomain
  let b: SandboxDomain
  let near: SandboxNode
  let far: SandboxNode

  beforeAll(async () => {
    lab = await Lab.create()
    api = await ApiServer.start(lab)
    await installResources(api)
    client = await clientOf(api)
    await api.kubectl(['create', 'namespace', 'nsm-system'])
    await api.kubectl(['apply', '-f', 'manifests/base/registry-access.yaml', '-f', 'manifests/base/nsmd-access.yaml'])
    const registry = await api.kubeconfig({ name: 'system:serviceaccount:nsm-system:nsm-registry' })
    const environment = { NSM_STORE: 'kubernetes', KUBECONFIG: registry, NSM_DEFAULT_EXPIRY: `${EXPIRY_MS}ms` }
    // At once: one of them makes the authority, and both use it.
    const starting = [sandbox.domain('west', environment), sandbox.sibling('west', environment)] as const
    ;[a, b] = await Promise.all(starting)
    service = await Service.open()
    service.sendTo(a.registryUrl)
    near = await startNode('n1')
    far = await startNode('n2')
  }, SETUP_MS)
  afterAll(async () => {
    await sandbox.close()
    service?.close()
    client?.close()
    await lab?.close()
  }, SETUP_MS)

  const create = (object: object) =>
    api.kubectl(['create', '-f', '-', '-o', 'jsonpath={.metadata.uid}'], {
      input: JSON.stringify({ apiVersion: 'v1', ...object }),
    })

  /** With a token as the kubelet of the node projects it, and no invitation. */
  async function startNode(name: string): Promise<SandboxNode> {
    await create({ kind: 'Node', metadata: { name } })
    const containers = [{ name: 'main', image: 'localhost/none' }]
    const spec = { nodeName: name, serviceAccountName: 'nsmd', containers, automountServiceAccountToken: false }
    const uid = await create({ kind: 'Pod', metadata: { ...SYSTEM, name: `nsmd-${name}` }, spec })
    const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', `nsmd-${name}`, '--bound-object-uid', uid]
    const token = await api.kubectl(['-n', 'nsm-system', 'create', 'token', 'nsmd', '--audience', 'nsmesh', ...bound])
    const file = join(sandbox.directory, `${name}.token`)
    writeFileSync(file, token)
    return a.platformNode(name, {
      NSM_NODE_TOKEN_FILE: file,
      NSM_REGISTRY_URL: service.url,
      KUBECONFIG: await api.kubeconfig({ name: 'system:serviceaccount:nsm-system:nsmd' }),
    })
  }

  const list = async (): Promise<readonly EndpointObject[]> => (await client.list(endpointResource, SYSTEM)).items

  test('are one domain: nodes join at either, and both know them', async () => {
    for (const registry of [a, b]) {
      const { nodes } = await registry.admin((domains) => domains.listNodes({}, { signal: AbortSignal.timeout(5_000) }))
      expect(nodes.map(({ name }) => name)).toEqual(['n1', 'n2'])
    }
  })

  test(
    'keep an endpoint whose registry changes with every renewal, and its wires',
    async () => {
      await far.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/28' })
      const workload = await near.workload()
      const wire = await workload.request('kernel://files/nsm-1')
      const { resourceVersion } = await client.list(endpointResource, SYSTEM)
      const removed: string[] = []
      const stop = new AbortController()
      const watching = watchRemovals(resourceVersion, stop.signal, removed)
      for (let round = 0; round < 10; round += 1) {
        const version = (await list())[0]?.metadata.resourceVersion
        service.sendTo((round % 2 === 0 ? b : a).registryUrl)
        await until('the next renewal', async () => (await list())[0]?.metadata.resourceVersion !== version)
      }
      stop.abort()
      await watching
      expect(removed).toEqual([])
      expect(near.links(workload.namespace)).toEqual(['nsm-1'])
      await workload.closeWire(wire)
    },
    SETUP_MS,
  )

  test(
    'keep every endpoint while the API server is away for longer than a registration lives',
    async () => {
      const workload = await near.workload()
      const wire = await workload.request('kernel://files/nsm-1')
      // Of an object that is removed and made anew, it is another.
      const uids = async () => (await list()).map(({ metadata }) => metadata.uid)
      const before = await uids()
      await api.server.stop('SIGKILL')
      await systemClock.sleep(1.5 * EXPIRY_MS)
      const another = await near.workload()
      await another.closeWire(await another.request('kernel://files/nsm-1'))
      api.server.start()
      await api.ready()
      // Its owner was told a minute, and renews within that: a registration lives for that long outside of tests.
      await systemClock.sleep(EXPIRY_MS / 2)
      expect([before.length, await uids()]).toEqual([1, before])
      expect(near.links(workload.namespace)).toEqual(['nsm-1'])
      await workload.closeWire(wire)
    },
    SETUP_MS,
  )

  test('keep a node out that one of them has revoked', async () => {
    await a.revokeNode('n1')
    await until('the other to know', async () => (await b.trustState()).revoked.includes('spiffe://west/node/n1'))
  })

  test(
    'remove what is not renewed, whichever of them took it in',
    async () => {
      service.sendTo(a.registryUrl)
      await until('a renewal there', async () => (await list()).length === 1)
      await far.stop()
      await a.stop()
      await until('the other to remove it', async () => (await list()).length === 0, 30_000)
    },
    SETUP_MS,
  )

  async function watchRemovals(resourceVersion: string, signal: AbortSignal, removed: string[]): Promise<void> {
    let from = resourceVersion
    while (!signal.aborted) {
      try {
        for await (const event of client.watch<KubeObject>(endpointResource, {
          ...SYSTEM,
          resourceVersion: from,
          signal,
        })) {
          from = event.type === 'BOOKMARK' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? from)
          if (event.type === 'DELETED') removed.push(event.object.metadata.name)
        }
      } catch (error) {
        if (!signal.aborted) throw error
      }
    }
  }
})

/** As a Service of Kubernetes does: connections go to one of its pods, and break when that changes. */
class Service {
  readonly #server: Server
  readonly #open = new Set<Socket>()
  readonly url: string
  #port = 0

  private constructor(server: Server, port: number) {
    this.#server = server
    this.url = `tcp://127.0.0.1:${port}`
    server.on('connection', (socket) => this.#join(socket))
  }

  static async open(): Promise<Service> {
    const port = await freePort()
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    return new Service(server, port)
  }

  sendTo(url: string): void {
    this.#port = Number(new URL(url).port)
    for (const socket of this.#open) socket.destroy()
  }

  close(): void {
    this.sendTo('tcp://127.0.0.1:1')
    this.#server.close()
  }

  #join(near: Socket): void {
    const far = connect(this.#port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#open.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }
}

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
