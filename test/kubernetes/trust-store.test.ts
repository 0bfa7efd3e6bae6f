/** The trust store on a real API server: the suite of all stores, with two registries at it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kubeTrustStore } from '../../pkg/federation/index.ts'
import { trustStoreConformance } from '../../pkg/federation/testing/index.ts'
import type { KubeClient } from '../../pkg/kube/index.ts'
import { Lab } from '../lab/lab.ts'
import { clientOf, installResources, makeNamespace } from './api-clients.ts'
import { ApiServer } from './api-server.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 120_000
const missing = missingForKubernetes()

describe.skipIf(missing !== undefined)('the trust store on the API server', () => {
  let lab: Lab
  let api: ApiServer
  let client: KubeClient
  let other: KubeClient

  beforeAll(async () => {
    lab = await Lab.create()
    api = await ApiServer.start(lab)
    await installResources(api)
    client = await clientOf(api)
    other = await clientOf(api)
  }, SETUP_MS)
  afterAll(async () => {
    client?.close()
    other?.close()
    await lab?.close()
  }, SETUP_MS)

  trustStoreConformance('API server', async () => {
    const namespace = await makeNamespace(client)
    const store = kubeTrustStore({ client, namespace })
    return { store, replica: kubeTrustStore({ client: other, namespace }), close: () => {} }
  })

  test.each([
    ['of two kinds', 'node.a', { kind: 'node', name: 'a', self: { exports: [] } }, 'of its kind, and of no other'],
    ['under the name of another', 'node.b', { kind: 'node', name: 'a', node: { joinedMs: 1, renewedMs: 1 } }, 'named'],
    ['of no kind', 'cat.a', { kind: 'cat', name: 'a' }, 'Unsupported value: "cat"'],
    ['without what it needs', 'node.a', { kind: 'node', name: 'a', node: {} }, 'joinedMs: Required value'],
  ])('refuses a record %s', async (_, name, spec, reason) => {
    const object = {
      apiVersion: 'networkservicemesh.io/v1',
      kind: 'TrustRecord',
      metadata: { name, namespace: 'default' },
      spec,
    }
    const { code, stderr } = await api.tryKubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })
    expect(code).not.toBe(0)
    expect(stderr).toContain(reason)
  })
})

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
