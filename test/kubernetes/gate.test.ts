/** The gate through which pods start, on a cluster of two nodes: nsm-cni in the chain of the real runtime. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import type { KubernetesCluster } from './cluster.ts'
import { BOX_IMAGE } from './images.ts'
import { clusterWithNsmesh, OVERLAY } from './nsmesh.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 300_000
const TEST_MS = 120_000
const ENTRY = '/etc/cni/net.d/pods/50-nsm.conf'
const LIST = '/etc/cni/net.d/10-pods.conflist'
const PLUGIN = '/opt/cni/bin/nsm-cni'
const GATE = '/run/nsmesh-gate'
const WIRES = 'networkservicemesh.io'
const DB = 'kernel://db/nsm-1'
const missing = missingForKubernetes()

interface BoxOptions {
  readonly annotations?: Readonly<Record<string, string>>
  readonly namespace?: string
  readonly nodeName?: string
  readonly command?: readonly string[]
}

function box(name: string, { annotations = {}, namespace = 'default', ...options }: BoxOptions = {}) {
  const { nodeName = 'west-2', command = ['sleep', 'infinity'] } = options
  const spec = {
    nodeName,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'box', image: BOX_IMAGE, command }],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, annotations }, spec }
}

describe.skipIf(missing !== undefined)('the start of pods', () => {
  let lab: Lab
  let cluster: KubernetesCluster

  beforeAll(async () => {
    lab = await Lab.create()
    cluster = await clusterWithNsmesh(lab)
    await cluster.apply(
      box('db', {
        nodeName: 'west-1',
        annotations: { [`${WIRES}/serve`]: 'db?prefix=172.16.2.0/31' },
        command: ['httpd', '-f', '-p', '8080', '-h', '/bin'],
      }),
    )
    await kubectl('wait', 'pod', 'db', '--for=condition=Ready', '--timeout=60s')
    const endpoints = () => kubectl('-n', 'nsm-system', 'get', 'networkserviceendpoints')
    await until('the endpoint', async () => (await endpoints()).includes('db'))
  }, SETUP_MS)
  afterAll(() => lab?.close(), SETUP_MS)

  const kubectl = (...command: readonly string[]) => cluster.kubectl(...command)
  const rolledOut = (what: string) => kubectl('-n', 'nsm-system', 'rollout', 'status', what, '--timeout=90s')
  const describePod = (name: string, namespace = 'default') => kubectl('-n', namespace, 'describe', 'pod', name)
  const phase = (name: string, namespace = 'default') =>
    kubectl('-n', namespace, 'get', 'pod', name, '-o', 'jsonpath={.status.phase}')
  const remove = (name: string, namespace = 'default') => kubectl('-n', namespace, 'delete', 'pod', name)
  const pathOf = (path: string, node = 1) => cluster.nodes[node]?.machine.path(path) ?? ''

  test('nsm-cni is in the chain of every node, and what goes is put back', { timeout: TEST_MS }, async () => {
    for (const node of cluster.nodes.keys())
      await expect.poll(() => existsSync(pathOf(ENTRY, node)), { timeout: 10_000 }).toBe(true)
    for (const path of [ENTRY, PLUGIN]) {
      rmSync(pathOf(path))
      await expect.poll(() => existsSync(pathOf(path)), { timeout: 1_000, interval: 20 }).toBe(true)
    }
  })

  async function runJob(): Promise<void> {
    const command = ['timeout', '5', 'wget', '-q', '-O', '/dev/null', 'http://172.16.2.0:8080/busybox']
    await cluster.apply(box('job', { annotations: { [WIRES]: DB }, command }))
    await expect.poll(() => phase('job'), { timeout: 30_000 }).toBe('Succeeded')
    await remove('job')
  }

  test('waits for the wire: it is there for the first instruction', { timeout: TEST_MS }, runJob)

  test('waits likewise where the list of plugins is all that counts', { timeout: TEST_MS }, async () => {
    const before = readFileSync(pathOf(LIST), 'utf8')
    writeFileSync(pathOf(LIST), JSON.stringify({ ...JSON.parse(before), loadOnlyInlinedPlugins: true }))
    const called = () =>
      JSON.parse(readFileSync(pathOf(LIST), 'utf8')).plugins.map(({ type }: { type: string }) => type)
    await expect.poll(called, { timeout: 1_000, interval: 20 }).toEqual(['bridge', 'nsm-cni'])
    await runJob()
    writeFileSync(pathOf(LIST), before)
    await expect.poll(() => existsSync(pathOf(ENTRY)), { timeout: 1_000, interval: 20 }).toBe(true)
  })

  test.each([
    ['that nobody serves', 'kernel://nobody/nsm-1', /its wire to nobody is not up: .*nobody/],
    ['of a domain that is not joined', 'kernel://db@east/nsm-1', /its wire to db@east is not up: .*east/],
  ])('says why it waits for a service %s, and the pod can go', { timeout: TEST_MS }, async (_, url, reason) => {
    await cluster.apply(box('alone', { annotations: { [WIRES]: url } }))
    await expect.poll(() => describePod('alone'), { timeout: 30_000 }).toMatch(reason)
    expect(await phase('alone')).toBe('Pending')
    const before = performance.now()
    await remove('alone')
    expect(performance.now() - before).toBeLessThan(15_000)
  })

  test('of those who do not wait is at once, and so is that of others meanwhile', { timeout: TEST_MS }, async () => {
    await cluster.apply(box('alone', { annotations: { [WIRES]: 'kernel://nobody/nsm-1' } }))
    await cluster.apply(box('hasty', { annotations: { [WIRES]: 'kernel://nobody/nsm-1?wait=false' } }), box('plain'))
    await kubectl('wait', 'pod', 'hasty', 'plain', '--for=condition=Ready', '--timeout=20s')
    expect(await phase('alone')).toBe('Pending')
    for (const name of ['alone', 'hasty', 'plain']) await remove(name)
  })

  test('waits for what a pod inherits, unless it opts out', { timeout: TEST_MS }, async () => {
    await kubectl('create', 'namespace', 'shop')
    await kubectl('annotate', 'namespace', 'shop', `${WIRES}=kernel://nobody/nsm-1`)
    await expect.poll(() => existsSync(pathOf(`${GATE}/gated/shop`)), { timeout: 10_000 }).toBe(true)
    const namespace = 'shop'
    await cluster.apply(box('heir', { namespace }), box('free', { namespace, annotations: { [WIRES]: '' } }))
    await kubectl('-n', 'shop', 'wait', 'pod', 'free', '--for=condition=Ready', '--timeout=20s')
    await expect.poll(() => describePod('heir', 'shop'), { timeout: 30_000 }).toContain('its wire to nobody is not up')
    await kubectl('annotate', 'namespace', 'shop', `${WIRES}-`)
    await kubectl('-n', 'shop', 'wait', 'pod', 'heir', '--for=condition=Ready', '--timeout=60s')
    await kubectl('delete', 'namespace', 'shop')
  })

  test('needs nothing of nsmesh for pods that ask for nothing', { timeout: TEST_MS }, async () => {
    const select = (os: string) =>
      kubectl('-n', 'nsm-system', 'patch', 'daemonset', 'nsmd', '-p', selector(os), '--type=merge')
    await select('none')
    await expect.poll(() => kubectl('-n', 'nsm-system', 'get', 'pods'), { timeout: 60_000 }).not.toContain('nsmd-')
    expect([existsSync(pathOf(ENTRY)), existsSync(pathOf(PLUGIN))]).toEqual([true, true])
    await cluster.apply(box('waits', { annotations: { [WIRES]: DB } }), box('plain'))
    await kubectl('wait', 'pod', 'plain', '--for=condition=Ready', '--timeout=20s')
    await expect.poll(() => describePod('waits'), { timeout: 30_000 }).toContain('daemon of this node does not run')
    await remove('plain')
    await select('linux')
    await rolledOut('daemonset/nsmd')
    await kubectl('wait', 'pod', 'waits', '--for=condition=Ready', '--timeout=60s')
  })

  test('is as before when nsmesh is uninstalled', { timeout: TEST_MS }, async () => {
    await kubectl('delete', '-k', OVERLAY, '--wait=false')
    for (const node of cluster.nodes.keys()) {
      const left = () => [...readdirSync(pathOf('/etc/cni/net.d', node)), ...readdirSync(pathOf(GATE, node))]
      await expect.poll(left, { timeout: 60_000 }).toEqual(['10-pods.conflist'])
      await expect.poll(() => existsSync(pathOf(PLUGIN, node))).toBe(false)
    }
    await remove('waits')
    await cluster.apply(box('plain'))
    await kubectl('wait', 'pod', 'plain', '--for=condition=Ready', '--timeout=20s')
  })
})

function selector(os: string): string {
  return JSON.stringify({ spec: { template: { spec: { nodeSelector: { 'kubernetes.io/os': os } } } } })
}

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
