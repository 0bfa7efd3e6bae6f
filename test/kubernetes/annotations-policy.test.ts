/** What the policy says of annotations at kubectl apply, beside what nsmd says of them, and what it leaves alone. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseServe } from '../../pkg/kubernetes/annotations/serve.ts'
import { parseWires } from '../../pkg/kubernetes/annotations/wires.ts'
import { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import { ApiServer } from './api-server.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 120_000
const missing = missingForKubernetes()
const WIRES = 'networkservicemesh.io'
const SERVE = 'networkservicemesh.io/serve'
const POLICY = 'manifests/base/annotations-policy.yaml'
const urls = (count: number) => Array.from({ length: count }, (_, at) => `kernel://s${at}/nsm-${at}`).join(',')

type Annotations = Readonly<Record<string, string>>

describe.skipIf(missing !== undefined)('the policy of annotations', () => {
  let lab: Lab
  let api: ApiServer

  beforeAll(async () => {
    lab = await Lab.create()
    api = await ApiServer.start(lab)
    await api.kubectl(['create', 'serviceaccount', 'default'])
    for (const object of [old.deployment, old.job, old.pod]) expect(await refusal(object)).toBe('')
    await api.kubectl(['apply', '-f', POLICY])
    await until('the policy', async () => (await refusal(pod('bad', { [WIRES]: 'x' }), ['--dry-run=server'])) !== '')
  }, SETUP_MS)
  afterAll(() => lab?.close(), SETUP_MS)

  const containers = [{ name: 'main', image: 'localhost/none' }]
  const template = (annotations: Annotations, more: object = {}) => ({
    metadata: { labels: { app: 'a' }, annotations },
    spec: { containers, ...more },
  })
  const pod = (name: string, annotations: Annotations, more: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: { containers, automountServiceAccountToken: false, ...more },
  })
  const workload = (kind: string, annotations: Annotations) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'w' },
    spec: { selector: { matchLabels: { app: 'a' } }, template: template(annotations) },
  })
  const job = (annotations: Annotations, name = 'w') => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: template(annotations, { restartPolicy: 'Never' }) },
  })
  /** There before the policy was. */
  const old = {
    deployment: { ...workload('Deployment', { [WIRES]: 'kernel:/db' }), metadata: { name: 'old' } },
    job: job({ [WIRES]: 'kernel:/db' }, 'old'),
    pod: pod('old', { [WIRES]: 'kernel:/db' }),
  }

  /** @returns what the API server says against the object, or '' */
  async function refusal(object: object, options: readonly string[] = []): Promise<string> {
    const { code, stderr } = await api.tryKubectl(['create', ...options, '-f', '-'], { input: JSON.stringify(object) })
    return code === 0 ? '' : stderr
  }

  test.each([
    ['kernel:/db', '"kernel:/db" is no URL of a network service; write for example kernel://files@east/nsm-1'],
    ['db', '"db" is no URL'],
    ['memif://db/nsm-1', '"memif://db/nsm-1" is no URL'],
    ['kernel://d b/nsm-1', 'is no URL'],
    ['kernel://files,kernel://@east/nsm-1', '"kernel://@east/nsm-1" is no URL'],
    ['kernel://db/lo', '"lo" cannot be the name of an interface'],
    ['kernel://db/eth0', '"eth0" cannot be the name'],
    ['kernel://db/sixteen-letters-x', '"sixteen-letters-x" cannot be the name'],
    ['kernel://a/n1,kernel://b/n1', 'two wires have the interface "n1"'],
    [urls(17), 'it has 17 wires, and a pod may have 16'],
    ['x'.repeat(4097), 'longer than 4096'],
  ])('refuses %j in the words that help', async (text, reason) => {
    expect(() => parseWires(text)).toThrow()
    expect(await refusal(pod('p', { [WIRES]: text }), ['--dry-run=server'])).toContain(reason)
  })

  test.each(['db@east', 'a b', 'a,,b', '?prefix=172.16.1.0/24'])('refuses to serve %j', async (text) => {
    expect(() => parseServe(text)).toThrow()
    expect(await refusal(pod('p', { [SERVE]: text }), ['--dry-run=server'])).toContain('names no services')
  })

  test.each([
    ['', ''],
    [' ', ' '],
    ['kernel://db', 'db'],
    ['kernel://db@east/nsm-1?app=web&zone=a,b, \n kernel://files?wait=false', 'db , files?prefix=172.16.1.0/24&a=b'],
    ['KERNEL://a.b_c-d/x/y/nsm-1,', 'A.b_c-d?payload=ETHERNET'],
    ['kernel://a/n,1, kernel://b', 'a'],
    ['kernel://a/ä', 'a?x=ä,'],
    [urls(16), 'a,b,c'],
  ])('takes %j, and %j, as nsmd does', async (wires, serve) => {
    parseWires(wires)
    if (serve.trim() !== '') parseServe(serve)
    expect(await refusal(pod('p', { [WIRES]: wires, [SERVE]: serve }), ['--dry-run=server'])).toBe('')
  })

  test.each([
    ['Deployment', workload('Deployment', { [WIRES]: 'db' })],
    ['DaemonSet', workload('DaemonSet', { [WIRES]: 'db' })],
    ['StatefulSet', { ...workload('StatefulSet', { [WIRES]: 'db' }) }],
    ['ReplicaSet', workload('ReplicaSet', { [WIRES]: 'db' })],
    ['Job', job({ [WIRES]: 'db' })],
    [
      'CronJob',
      {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: { name: 'w' },
        spec: { schedule: '@daily', jobTemplate: { spec: job({ [WIRES]: 'db' }).spec } },
      },
    ],
    ['Namespace', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'w', annotations: { [WIRES]: 'db' } } }],
  ])('judges a %s', async (_, object) => {
    expect(await refusal(object, ['--dry-run=server'])).toContain('"db" is no URL')
  })

  test('refuses a pod that has the network of its node', async () => {
    const asked = { [WIRES]: 'kernel://db/nsm-1' }
    expect(await refusal(pod('p', asked, { hostNetwork: true }), ['--dry-run=server'])).toContain(
      'no network of its own',
    )
    expect(await refusal(pod('p', { [WIRES]: '' }, { hostNetwork: true }), ['--dry-run=server'])).toBe('')
  })

  test('lets everything of an object change that was there before, but not the annotation to another bad one', async () => {
    for (const kind of ['deployment', 'job', 'pod']) {
      expect(await api.tryKubectl(['label', kind, 'old', 'team=a'])).toMatchObject({ code: 0 })
      const finalizer = '{"metadata":{"finalizers":["example.com/x"]}}'
      expect(await api.tryKubectl(['patch', kind, 'old', '-p', finalizer])).toMatchObject({ code: 0 })
      expect(await api.tryKubectl(['delete', kind, 'old', '--wait=false'])).toMatchObject({ code: 0 })
      const none = '{"metadata":{"finalizers":null}}'
      expect(await api.tryKubectl(['patch', kind, 'old', '--type=merge', '-p', none])).toMatchObject({ code: 0 })
      await until(`the ${kind} to be gone`, async () => (await api.tryKubectl(['get', kind, 'old'])).code !== 0)
    }
    await api.kubectl(['create', '-f', '-'], { input: JSON.stringify(pod('p', { [WIRES]: 'kernel://db/nsm-1' })) })
    const { code, stderr } = await api.tryKubectl(['annotate', 'pod', 'p', `${WIRES}=kernel:/x`, '--overwrite'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('"kernel:/x" is no URL')])
  })

  test('lets pass what a controller makes', async () => {
    const { metadata, ...rest } = pod('made', { [WIRES]: 'kernel:/db' })
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true }
    expect(await refusal({ ...rest, metadata: { ...metadata, ownerReferences: [owner] } })).toBe('')
  })
})

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
