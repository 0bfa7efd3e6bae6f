/** How a node proves to the authority who it is: tokens as the kubelet projects them, judged by a real API server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kubernetesPlatform, type Platform } from '../../pkg/federation/index.ts'
import type { KubeClient } from '../../pkg/kube/index.ts'
import { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import { clientOf } from './api-clients.ts'
import { ApiServer } from './api-server.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 120_000
const missing = missingForKubernetes()

describe.skipIf(missing !== undefined)('a node of Kubernetes', () => {
  let lab: Lab
  let api: ApiServer
  let client: KubeClient
  let platform: Platform
  const uids = new Map<string, string>()

  beforeAll(async () => {
    lab = await Lab.create()
    api = await ApiServer.start(lab)
    client = await clientOf(api)
    platform = kubernetesPlatform({ client, namespace: 'nsm-system', serviceAccount: 'nsmd' })
    for (const namespace of ['nsm-system', 'shop']) await api.kubectl(['create', 'namespace', namespace])
    for (const [namespace, account] of [
      ['nsm-system', 'nsmd'],
      ['nsm-system', 'nsm-registry'],
      ['shop', 'nsmd'],
      ['shop', 'db'],
    ] as const) {
      await api.kubectl(['-n', namespace, 'create', 'serviceaccount', account])
    }
    for (const node of ['n1', 'n2']) await apply({ kind: 'Node', metadata: { name: node } })
    await runPod('nsm-system', 'nsmd-1', { serviceAccountName: 'nsmd', nodeName: 'n1' })
    await runPod('nsm-system', 'registry', { serviceAccountName: 'nsm-registry', nodeName: 'n1' })
    await runPod('shop', 'nsmd-1', { serviceAccountName: 'nsmd', nodeName: 'n1' })
    await runPod('shop', 'db-0', { serviceAccountName: 'db', nodeName: 'n1' })
  }, SETUP_MS)
  afterAll(async () => {
    client?.close()
    await lab?.close()
  }, SETUP_MS)

  async function apply(object: object): Promise<string> {
    const input = JSON.stringify({ apiVersion: 'v1', ...object })
    return api.kubectl(['create', '-f', '-', '-o', 'jsonpath={.metadata.uid}'], { input })
  }

  /** As far as there is no kubelet. */
  async function runPod(namespace: string, name: string, spec: object): Promise<void> {
    const containers = [{ name: 'main', image: 'localhost/none' }]
    const metadata = { namespace, name }
    const whole = { ...spec, containers, automountServiceAccountToken: false }
    uids.set(`${namespace}/${name}`, await apply({ kind: 'Pod', metadata, spec: whole }))
  }

  /** What the kubelet projects into a pod. */
  async function tokenOf(pod: string, account = 'nsmd', audience = 'nsmesh'): Promise<string> {
    const [namespace = '', name = ''] = pod.split('/')
    const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', name, '--bound-object-uid', uids.get(pod) ?? '']
    return api.kubectl(['-n', namespace, 'create', 'token', account, '--audience', audience, ...bound])
  }

  test('is named by its token, with the uid of its machine', async () => {
    const uid = await api.kubectl(['get', 'node', 'n1', '-o', 'jsonpath={.metadata.uid}'])
    expect(await platform.nodeOf(await tokenOf('nsm-system/nsmd-1'))).toEqual({ name: 'n1', uid })
  })

  test.each<[string, () => Promise<string>, RegExp]>([
    ['for another audience', () => tokenOf('nsm-system/nsmd-1', 'nsmd', 'vault'), /does not accept/],
    [
      'for the API server itself',
      () => tokenOf('nsm-system/nsmd-1', 'nsmd', 'https://kubernetes.default.svc'),
      /does not accept/,
    ],
    ['of another service account', () => tokenOf('nsm-system/registry', 'nsm-registry'), /another service account/],
    ['of the same account in another namespace', () => tokenOf('shop/nsmd-1'), /another service account/],
    [
      'that is bound to no pod',
      () => api.kubectl(['-n', 'nsm-system', 'create', 'token', 'nsmd', '--audience', 'nsmesh']),
      /it has no node-name/,
    ],
    ['that is made up', async () => `e30.e30.${'x'.repeat(86)}`, /does not accept/],
    ['that is too long', async () => `a.b.${'x'.repeat(17_000)}`, /too long/],
  ])('is not named by a token %s', async (_, token, reason) => {
    const error = await platform.nodeOf(await token()).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'permission_denied', message: expect.stringMatching(reason) })
  })

  test('is not named by a token whose pod has ended', async () => {
    await runPod('nsm-system', 'nsmd-2', { serviceAccountName: 'nsmd', nodeName: 'n2' })
    const token = await tokenOf('nsm-system/nsmd-2')
    expect((await platform.nodeOf(token)).name).toBe('n2')
    const failed = ['-n', 'nsm-system', 'patch', 'pod', 'nsmd-2', '--subresource=status', '-p']
    await api.kubectl([...failed, '{"status":{"phase":"Failed"}}'])
    await expect(platform.nodeOf(token)).rejects.toMatchObject({ code: 'permission_denied' })
    await api.kubectl(['-n', 'nsm-system', 'delete', 'pod', 'nsmd-2', '--force', '--grace-period=0'])
    await until('the API server knows', async () => {
      return platform.nodeOf(token).then(
        () => false,
        (error: Error) => error.message.includes('does not accept'),
      )
    })
  })

  test('speaks for the pods that run on it', async () => {
    await platform.checkWorkload('n1', 'ns/shop/sa/db')
    await platform.checkWorkload('n1', 'uid/1000')
  })

  test.each([
    ['another node', 'n2', 'ns/shop/sa/db'],
    ['another account', 'n1', 'ns/shop/sa/default'],
    ['another namespace', 'n1', 'ns/default/sa/db'],
    ['more than a name', 'n1', 'ns/shop/sa/db/more'],
    ['a name that is a selector', 'n1', 'ns/shop/sa/x,spec.nodeName=n1'],
    ['nobody', 'n1', 'ns//sa/'],
    ['what is no pod', 'n1', 'host/root'],
  ])('does not speak for those of %s', async (_, node, path) => {
    await expect(platform.checkWorkload(node, path)).rejects.toMatchObject({ code: 'permission_denied' })
  })

  test('does not speak for a pod that has ended', async () => {
    const patch = [
      '-n',
      'shop',
      'patch',
      'pod',
      'db-0',
      '--subresource=status',
      '-p',
      '{"status":{"phase":"Succeeded"}}',
    ]
    await api.kubectl(patch)
    await expect(platform.checkWorkload('n1', 'ns/shop/sa/db')).rejects.toMatchObject({ code: 'permission_denied' })
  })
})

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
