/** What operators of comparable systems have reported, on a cluster of two nodes with the manifests as they are shipped. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab } from '../lab/lab.ts'
import type { KubernetesCluster } from './cluster.ts'
import { BOX_IMAGE } from './images.ts'
import { clusterWithNsmesh } from './nsmesh.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 300_000
const TEST_MS = 120_000
const WIRES = 'networkservicemesh.io'
/** Of the endpoint: enough addresses for four clients at a time. */
const PREFIX = '172.16.2.0/29'
const missing = missingForKubernetes()

type Annotations = Readonly<Record<string, string>>

function template(annotations: Annotations, nodeName: string, command: readonly string[] = ['sleep', 'infinity']) {
  const containers = [{ name: 'box', image: BOX_IMAGE, command }]
  return { metadata: { annotations }, spec: { nodeName, terminationGracePeriodSeconds: 0, containers } }
}

function pod(name: string, { metadata, spec }: ReturnType<typeof template>, namespace = 'default') {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, namespace }, spec }
}

describe.skipIf(missing !== undefined)('on a bad day', () => {
  let lab: Lab
  let cluster: KubernetesCluster

  beforeAll(async () => {
    lab = await Lab.create()
    cluster = await clusterWithNsmesh(lab)
    await cluster.apply(pod('db', template({ [`${WIRES}/serve`]: `db?prefix=${PREFIX}` }, 'west-1')))
    await isReady('db')
  }, SETUP_MS)
  afterAll(() => lab?.close(), SETUP_MS)

  const kubectl = (...command: readonly string[]) => cluster.kubectl(...command)
  const inSystem = (...command: readonly string[]) => kubectl('-n', 'nsm-system', ...command)
  const isReady = (name: string) => kubectl('wait', 'pod', name, '--for=condition=Ready', '--timeout=60s')
  const links = (name: string) => kubectl('exec', name, '--', 'ls', '/sys/class/net')
  const address = (name: string) => kubectl('exec', name, '--', 'ip', '-4', '-o', 'addr', 'show', 'nsm-1').catch(String)

  async function rolledOut(): Promise<void> {
    for (const what of ['deployment/nsm-registry', 'daemonset/nsmd'])
      await inSystem('rollout', 'status', what, '--timeout=90s')
  }

  test('what the registry has made has no labels by which a pipeline would take it away', async () => {
    const made = await inSystem('get', 'secret/nsm-registry-authority', 'configmap/nsm-authority', '-o', 'json')
    const labels = JSON.parse(made).items.map(({ metadata }: { metadata: { labels?: object } }) => metadata.labels)
    expect(labels).toEqual([undefined, undefined])
  })

  test('the pods of Jobs leave their addresses when they end, though they stay', { timeout: TEST_MS }, async () => {
    const peer = '$(ip route show dev nsm-1 2>/dev/null | cut -d " " -f 1)'
    const works = `until ping -c 1 -W 1 ${peer} 2>/dev/null; do sleep 0.1; done`
    const { metadata, spec } = template({ [WIRES]: 'kernel://db/nsm-1' }, 'west-2', ['sh', '-c', works])
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'short' },
      spec: { completions: 12, parallelism: 3, template: { metadata, spec: { ...spec, restartPolicy: 'Never' } } },
    }
    await cluster.apply(job)
    await kubectl('wait', 'job', 'short', '--for=condition=Complete', '--timeout=90s')
    const pods = await kubectl('get', 'pods', '-l', 'job-name=short', '-o', 'name')
    expect(pods.trimEnd().split('\n')).toHaveLength(12)
    await expect.poll(() => links('db'), { timeout: 20_000 }).toBe('eth0\nlo\n')
  })

  test('a pod whose sandbox dies takes its wire and its address along', { timeout: TEST_MS }, async () => {
    await cluster.apply(pod('web', template({ [WIRES]: 'kernel://db/nsm-1' }, 'west-2')))
    await isReady('web')
    await expect.poll(() => address('web'), { timeout: 20_000 }).toContain('172.16.2.')
    const [before, uid] = [await address('web'), await kubectl('get', 'pod', 'web', '-o', 'jsonpath={.metadata.uid}')]
    const inode = () => kubectl('exec', 'web', '--', 'readlink', '/proc/self/ns/net').catch(String)
    const former = await inode()
    await killSandbox('west-2', uid)
    await expect
      .poll(async () => (await inode()).startsWith('net:') && (await inode()) !== former, { timeout: 60_000 })
      .toBe(true)
    await expect.poll(() => address('web').then(withoutIndex), { timeout: 30_000 }).toBe(withoutIndex(before))
    await expect.poll(async () => (await links('db')).split('\n').length, { timeout: 20_000 }).toBe(4)
    await kubectl('delete', 'pod', 'web')
  })

  test('a namespace that is annotated by mistake stops nothing that the cluster lives by', {
    timeout: TEST_MS,
  }, async () => {
    for (const namespace of ['nsm-system', 'kube-system'])
      await kubectl('annotate', 'namespace', namespace, `${WIRES}=kernel://nobody/nsm-1`)
    await inSystem('delete', 'pods', '--all')
    await cluster.apply(pod('dns', template({}, 'west-2'), 'kube-system'))
    await rolledOut()
    await kubectl('-n', 'kube-system', 'wait', 'pod', 'dns', '--for=condition=Ready', '--timeout=60s')
    const conditions = (namespace: string) =>
      kubectl('-n', namespace, 'get', 'pods', '-o', 'jsonpath={.items[*].status.conditions[*].type}')
    for (const namespace of ['nsm-system', 'kube-system']) expect(await conditions(namespace)).not.toContain(WIRES)
  })

  /** The process that holds the sandbox of a pod, as if the node's trouble had ended it. */
  async function killSandbox(nodeName: string, uid: string): Promise<void> {
    const node = cluster.nodes.find(({ name }) => name === nodeName)
    const isPause = `grep -q ${uid} $p/cgroup && grep -q 2147483647 $p/cmdline`
    const kill = `for p in /proc/[0-9]*; do if ${isPause}; then kill -9 \${p#/proc/}; fi; done 2>/dev/null`
    await node?.machine.run(['sh', '-c', kill])
  }
})

/** The number that the kernel gives a link is another one in each namespace. */
function withoutIndex(line: string): string {
  return line.replace(/^\d+: /, '')
}

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
