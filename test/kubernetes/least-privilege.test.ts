/**
 * What the tokens of nsmd and nsm-registry are good for, tried at a real API server, and what they are not. nsmd's is the
 * token that a kubelet projects into its pod on n1: of whoever steals node n1.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../pkg/base/index.ts'
import { ForbiddenError, httpsTransport, KubeClient, type KubeObject, type Resource } from '../../pkg/kube/index.ts'
import type { Pod } from '../../pkg/kubernetes/index.ts'
import { EVENTS, type EventObject, PodEvents } from '../../pkg/kubernetes/reports/pod-events.ts'
import { podOf } from '../../pkg/kubernetes/testing/index.ts'
import { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import { installResources } from './api-clients.ts'
import { ApiServer } from './api-server.ts'
import { missingForKubernetes } from './programs.ts'

const pods: Resource<KubeObject> = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', isNamespaced: true }
const SETUP_MS = 120_000
const missing = missingForKubernetes()

describe.skipIf(missing !== undefined)('least privilege', () => {
  let lab: Lab
  let api: ApiServer
  let nsmd: string
  let registry: string
  let near: Pod

  beforeAll(async () => {
    lab = await Lab.create()
    api = await ApiServer.start(lab)
    await installResources(api)
    for (const namespace of ['nsm-system', 'shop']) await api.kubectl(['create', 'namespace', namespace])
    await api.kubectl(['apply', '-f', 'manifests/base/registry-access.yaml', '-f', 'manifests/base/nsmd-access.yaml'])
    for (const node of ['n1', 'n2']) await create({ kind: 'Node', metadata: { name: node } })
    nsmd = await tokenOf('nsmd', 'n1')
    registry = await tokenOf('nsm-registry', 'n1')
    await api.kubectl(['-n', 'shop', 'create', 'serviceaccount', 'default'])
    near = podOf({ name: 'near', uid: await pod('shop', 'near', 'n1') })
    await pod('shop', 'far', 'n2')
    await until('the policies', async () => (await refusal(nsmd, 'far', wires('True'))).includes('nsmd-pods'))
  }, SETUP_MS)
  afterAll(() => lab?.close(), SETUP_MS)

  const create = (object: object) =>
    api.kubectl(['create', '-f', '-', '-o', 'jsonpath={.metadata.uid}'], {
      input: JSON.stringify({ apiVersion: 'v1', ...object }),
    })

  function pod(namespace: string, name: string, nodeName: string, serviceAccountName = 'default') {
    const containers = [{ name: 'main', image: 'localhost/none' }]
    const metadata = { namespace, name, labels: { app: 'web' } }
    const spec = { nodeName, serviceAccountName, containers, automountServiceAccountToken: false }
    return create({ kind: 'Pod', metadata, spec })
  }

  /** As the kubelet of the node projects it into a pod of that account, for the API server. */
  async function tokenOf(account: string, node: string): Promise<string> {
    const name = `${account}-${node}`
    const uid = await pod('nsm-system', name, node, account)
    const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', name, '--bound-object-uid', uid]
    return (await api.kubectl(['-n', 'nsm-system', 'create', 'token', account, ...bound])).trim()
  }

  /** Without the admin's certificate, which would count for more. */
  async function as(token: string, command: readonly string[], input = '') {
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: api.url, 'certificate-authority': api.file('authority.pem') } }],
      users: [{ name: 'u', user: { token } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'c',
    }
    const kubeconfig = `${lab.folder('tokens')}/${token === nsmd ? 'nsmd' : 'registry'}.kubeconfig`
    writeFileSync(kubeconfig, JSON.stringify(config))
    return api.tryKubectl(['--kubeconfig', kubeconfig, ...command], { input })
  }

  const condition = (type: string, value: string) => ({ status: { conditions: [{ type, status: value }] } })
  const ready = { name: 'main', ready: true, restartCount: 0, image: 'x', imageID: 'x' }
  const wires = (value: string) => condition('networkservicemesh.io/wires', value)

  /** As programs do it: kubectl would read the status first. @returns what the API server says against it, or '' */
  function refusal(token: string, name: string, body: object): Promise<string> {
    const options = { type: 'strategic', subresource: 'status', body } as const
    return refusalOf(token, (client) => client.patch(pods, { namespace: 'shop', name }, options))
  }

  async function refusalOf(token: string, call: (client: KubeClient) => Promise<unknown>): Promise<string> {
    const credentials = async () => ({ authorities: readFileSync(api.file('authority.pem'), 'utf8'), token })
    const client = new KubeClient({ transport: httpsTransport({ server: api.url, credentials }), clock: systemClock })
    try {
      await call(client)
      return ''
    } catch (error) {
      if (error instanceof ForbiddenError) return error.serverMessage
      throw error
    } finally {
      client.close()
    }
  }

  test('nsmd says of a pod of its node whether its wires stand', async () => {
    for (const value of ['True', 'False']) expect(await refusal(nsmd, 'near', wires(value))).toBe('')
    const shown = await api.kubectl(['-n', 'shop', 'get', 'pod', 'near', '-o', 'jsonpath={.status.conditions[*].type}'])
    expect(shown).toContain('networkservicemesh.io/wires')
  })

  test.each([
    ['the condition of a pod of another node', 'far', wires('True'), 'only the pods of its own node'],
    ['another condition', 'near', condition('Ready', 'True'), 'only the condition'],
    ['a condition of another name of ours', 'near', condition('networkservicemesh.io/x', 'True'), 'only the condition'],
    ['the address', 'near', { status: { podIP: '192.0.2.66', podIPs: [{ ip: '192.0.2.66' }] } }, 'no other field'],
    ['the phase', 'near', { status: { phase: 'Failed' } }, 'no other field'],
    ['that its container is ready', 'near', { status: { containerStatuses: [ready] } }, 'no other field'],
    ['a label, by the status', 'near', { metadata: { labels: { app: 'bank' } } }, 'labels and annotations'],
    ['an annotation, by the status', 'near', { metadata: { annotations: { a: 'b' } } }, 'labels and annotations'],
    ['a finalizer, by the status', 'near', { metadata: { finalizers: ['a.b/c'] } }, 'labels and annotations'],
  ])('nsmd changes nothing else: %s', async (_, name, patch, reason) => {
    const before = await api.kubectl(['-n', 'shop', 'get', 'pod', name, '-o', 'jsonpath={.metadata.resourceVersion}'])
    expect(await refusal(nsmd, name, patch)).toContain(reason)
    const after = await api.kubectl(['-n', 'shop', 'get', 'pod', name, '-o', 'jsonpath={.metadata.resourceVersion}'])
    expect(after).toBe(before)
  })

  test('every field that the status of a pod has is held to what it was', async () => {
    const { components } = JSON.parse(await api.kubectl(['get', '--raw', '/openapi/v3/api/v1']))
    const { conditions: _, ...held } = components.schemas['io.k8s.api.core.v1.PodStatus'].properties
    const policy = await api.kubectl(['get', 'validatingadmissionpolicy', 'nsmd-pods', '-o', 'json'])
    const isHeld = (field: string) => policy.includes(`object.status.?${field} == oldObject.status.?${field}`)
    expect(Object.keys(held)).toContain('podIP')
    expect(Object.keys(held).filter((field) => !isHeld(field))).toEqual([])
  })

  const says = { key: 'nsm-1', name: 'nsm-1 to db', at: 'denied', why: 'nobody serves it' } as const
  const told = { type: 'Warning', reason: 'WireDenied', note: 'nsm-1 to db: nobody serves it', of: [says] } as const
  const tellAs = (nodeName: string) => (client: KubeClient) =>
    new PodEvents({ client, nodeName, clock: systemClock, signal: new AbortController().signal }).tell(near, told)

  test('nsmd tells events of pods in the name of its node, and counts those that come again', async () => {
    const twice = async (client: KubeClient) => {
      const events = new PodEvents({ client, nodeName: 'n1', clock: systemClock, signal: new AbortController().signal })
      await events.tell(near, told)
      await events.tell(near, told)
    }
    expect(await refusalOf(nsmd, twice)).toBe('')
    const shown = await api.kubectl(['-n', 'shop', 'describe', 'pod', 'near'])
    expect(shown).toMatch(
      /Warning +WireDenied .*x2 over .* networkservicemesh\.io\/nsmd +nsm-1 to db: nobody serves it/,
    )
  })

  test('nsmd tells no events in the name of others, and changes none of theirs', async () => {
    await until('the policy', async () => (await refusalOf(nsmd, tellAs('n2'))).includes('in its own name'))
    expect(await refusalOf(registry, tellAs('n1'))).toContain('cannot create resource "events"')
    const ofKubelet: EventObject = {
      metadata: { namespace: 'shop', name: 'near.1' },
      ...{ type: 'Normal', reason: 'Started', note: 'Started container', action: 'Start' },
      eventTime: '2030-01-01T00:00:00.000000Z',
      regarding: { kind: 'Pod', namespace: 'shop', name: 'near' },
      ...{ reportingController: 'kubelet', reportingInstance: 'n1' },
    }
    expect(await refusalOf(nsmd, (client) => client.create(EVENTS, ofKubelet))).toContain('in its own name')
    await create({ ...ofKubelet, apiVersion: 'events.k8s.io/v1', kind: 'Event' })
    const body = { series: { count: 2, lastObservedTime: ofKubelet.eventTime } }
    const counts = (client: KubeClient) =>
      client.patch(EVENTS, { namespace: 'shop', name: 'near.1' }, { type: 'merge', body })
    expect(await refusalOf(nsmd, counts)).toContain('in its own name')
  })

  test.each([
    ['change a pod itself', ['-n', 'shop', 'label', 'pod', 'near', 'app=bank', '--overwrite']],
    ['delete a pod', ['-n', 'shop', 'delete', 'pod', 'near']],
    ['read Secrets', ['-n', 'nsm-system', 'get', 'secrets']],
    ['read whom the domain trusts', ['-n', 'nsm-system', 'get', 'trustrecords']],
    ['read or write services', ['-n', 'nsm-system', 'get', 'networkservices']],
    ['read other ConfigMaps', ['-n', 'nsm-system', 'get', 'configmap', 'kube-root-ca.crt']],
    ['make tokens', ['-n', 'nsm-system', 'create', 'token', 'nsm-registry']],
    ['run in pods', ['-n', 'shop', 'exec', 'near', '--', 'true']],
    ['read nodes', ['get', 'nodes']],
    ['read events', ['-n', 'shop', 'get', 'events.events.k8s.io']],
    ['delete events', ['-n', 'shop', 'delete', 'events.events.k8s.io', '--all']],
  ])('nsmd may not %s', async (_, command) => {
    const { code, stderr } = await as(nsmd, command)
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/forbidden/i)
  })

  test.each([
    ['its own Secret', 'secret', 'nsm-registry-authority', []],
    ['the certificate of the authority', 'configmap', 'nsm-authority', []],
  ])('nsm-registry creates %s', async (_, kind, name) => {
    const type = kind === 'secret' ? ['generic'] : []
    const { code, stderr } = await as(registry, ['-n', 'nsm-system', 'create', kind, ...type, name, '--dry-run=server'])
    expect([code, stderr]).toEqual([0, ''])
  })

  test('nsm-registry creates no Secret that the API server would fill with the token of another account', async () => {
    const annotations = { 'kubernetes.io/service-account.name': 'nsmd' }
    for (const name of ['nsm-registry-authority', 'token']) {
      const metadata = { name, namespace: 'nsm-system', annotations }
      const type = 'kubernetes.io/service-account-token'
      const object = { apiVersion: 'v1', kind: 'Secret', type, metadata }
      const { stderr } = await as(registry, ['create', '--validate=false', '-f', '-'], JSON.stringify(object))
      expect(stderr).toContain('nsm-registry-creates')
    }
  })

  test('nsm-registry changes the status of no pod', async () => {
    expect(await refusal(registry, 'near', wires('True'))).toContain('cannot patch resource "pods/status"')
  })

  test.each([
    ['create other ConfigMaps', ['-n', 'nsm-system', 'create', 'configmap', 'x']],
    ['read other Secrets', ['-n', 'nsm-system', 'get', 'secrets']],
    ['write records elsewhere', ['-n', 'shop', 'delete', 'networkservices', '--all']],
    ['change pods', ['-n', 'shop', 'delete', 'pod', 'near']],
    ['read nodes', ['get', 'nodes']],
    ['make tokens', ['-n', 'nsm-system', 'create', 'token', 'nsmd']],
    ['change what it may', ['-n', 'nsm-system', 'delete', 'rolebinding', 'nsm-registry']],
  ])('nsm-registry may not %s', async (_, command) => {
    const { code, stderr } = await as(registry, command)
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/forbidden/i)
  })
})

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
