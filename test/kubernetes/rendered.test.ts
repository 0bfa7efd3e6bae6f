/**
 * The manifests as those see them who render and apply them again and again (GitOps), on an API server that holds every
 * namespace to PodSecurity `baseline` unless it says otherwise.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../pkg/kube/index.ts'
import { Lab } from '../lab/lab.ts'
import { ROOT } from '../lab/programs.ts'
import { ApiServer } from './api-server.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 120_000
const TEST_MS = 60_000
const OVERLAY = `${ROOT}/manifests/overlays/default`
const BASELINE = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: [
    {
      name: 'PodSecurity',
      configuration: {
        apiVersion: 'pod-security.admission.config.k8s.io/v1',
        kind: 'PodSecurityConfiguration',
        defaults: { enforce: 'baseline', 'enforce-version': 'latest' },
      },
    },
  ],
}
const missing = missingForKubernetes()

interface Workload {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: { readonly template: { readonly spec: PodSpec } }
}

interface PodSpec {
  readonly hostNetwork?: boolean
  readonly containers: readonly { readonly name: string; readonly ports?: readonly object[] }[]
}

describe.skipIf(missing !== undefined)('the rendered manifests', () => {
  let lab: Lab
  let api: ApiServer

  beforeAll(async () => {
    lab = await Lab.create()
    api = await ApiServer.start(lab, 'kubernetes', BASELINE)
    await api.kubectl(['apply', '--server-side', '-f', `${ROOT}/manifests/base/namespace.yaml`])
    await apply()
    for (const namespace of ['elsewhere', 'strict']) {
      await api.kubectl(['create', 'namespace', namespace])
      await api.kubectl(['-n', namespace, 'create', 'serviceaccount', 'default'])
    }
    await api.kubectl(['label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted'])
  }, SETUP_MS)
  afterAll(() => lab?.close(), SETUP_MS)

  const apply = () => api.kubectl(['apply', '--server-side', '--field-manager=pipeline', '-k', OVERLAY])

  async function rendered(): Promise<readonly (KubeObject & { readonly kind: string })[]> {
    const text = await api.kubectl(['create', '--dry-run=client', '-o', 'json', '-k', OVERLAY])
    return text.split(/^(?=\{)/m).map((each) => JSON.parse(each))
  }

  async function workloads(): Promise<readonly Workload[]> {
    const kinds = 'daemonsets,deployments'
    return JSON.parse(await api.kubectl(['-n', 'nsm-system', 'get', kinds, '-o', 'json'])).items
  }

  /** What the API server says against a pod with that spec. */
  async function refusal(namespace: string, spec: object): Promise<string> {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'tried', namespace }, spec }
    const { code, stderr } = await api.tryKubectl(['create', '--dry-run=server', '-f', '-'], {
      input: JSON.stringify(pod),
    })
    return code === 0 ? '' : stderr
  }

  test('are the same each time', async () => {
    const render = () => api.kubectl(['kustomize', OVERLAY])
    expect(await render()).toBe(await render())
  })

  test('are what the API server then has, field by field', { timeout: TEST_MS }, async () => {
    const objects = await rendered()
    expect(objects.length).toBeGreaterThan(20)
    for (const object of objects) {
      const { kind, metadata } = object
      const place = metadata.namespace === undefined ? [] : ['-n', metadata.namespace]
      const live = JSON.parse(await api.kubectl([...place, 'get', kind, metadata.name, '-o', 'json']))
      expect(live).toMatchObject(object)
    }
  })

  test('leave nothing to change when they are applied again', { timeout: TEST_MS }, async () => {
    const versions = [
      'get',
      'daemonsets,deployments',
      '-n',
      'nsm-system',
      '-o',
      'jsonpath={.items[*].metadata.generation}',
    ]
    const before = await api.kubectl(versions)
    const { code, stdout } = await api.tryKubectl(['diff', '--server-side', '--field-manager=pipeline', '-k', OVERLAY])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    await apply()
    expect(await api.kubectl(versions)).toBe(before)
  })

  test('have their pods let in by PodSecurity, those of the node in their own namespace alone', async () => {
    for (const { kind, spec } of await workloads()) {
      expect([kind, await refusal('nsm-system', spec.template.spec)]).toEqual([kind, ''])
      const elsewhere = await refusal('elsewhere', { ...spec.template.spec, serviceAccountName: 'default' })
      if (kind === 'DaemonSet') expect(elsewhere).toContain('violates PodSecurity "baseline:latest"')
      else expect(elsewhere).toBe('')
    }
  })

  test('have a registry that runs where PodSecurity is `restricted`', async () => {
    const registry = (await workloads()).find(({ metadata }) => metadata.name === 'nsm-registry')
    expect(await refusal('strict', { ...registry?.spec.template.spec, serviceAccountName: 'default' })).toBe('')
  })

  test('declare no port of the host, which would keep the next version from starting beside this one', async () => {
    const onHost = (await workloads()).map(({ spec }) => spec.template.spec).filter(({ hostNetwork }) => hostNetwork)
    expect(onHost).toHaveLength(1)
    for (const { containers } of onHost) expect(containers.filter(({ ports }) => ports !== undefined)).toEqual([])
  })
})

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
