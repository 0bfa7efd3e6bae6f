/** Two clusters that share nothing but the internet, and give their pods the same addresses. */
import { existsSync, globSync } from 'node:fs'
import { basename } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab } from '../lab/lab.ts'
import { run } from '../lab/shell.ts'
import { KubernetesCluster } from './cluster.ts'
import { BOX_IMAGE } from './images.ts'
import { missingForKubernetes } from './programs.ts'

const SETUP_MS = 240_000
const TEST_MS = 120_000
const missing = missingForKubernetes()

function box(name: string, nodeName: string, command: readonly string[] = ['sleep', 'infinity']) {
  const container = { name: 'box', image: BOX_IMAGE, imagePullPolicy: 'Never', command }
  const spec = { nodeName, terminationGracePeriodSeconds: 0, containers: [container] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec }
}

describe.skipIf(missing !== undefined)('two clusters side by side', () => {
  let lab: Lab
  let west: KubernetesCluster
  let east: KubernetesCluster

  beforeAll(async () => {
    lab = await Lab.create()
    ;[west, east] = await Promise.all([
      KubernetesCluster.start(lab, { name: 'west', number: 10, nodeCount: 2 }),
      KubernetesCluster.start(lab, { name: 'east', number: 20 }),
    ])
    await west.apply(box('a', 'west-1'), box('b', 'west-2', ['httpd', '-f', '-h', '/etc']))
    await west.kubectl('wait', 'pod', '--all', '--for=condition=Ready', '--timeout=60s')
  }, SETUP_MS)
  afterAll(() => lab?.close(), SETUP_MS)

  const ask = (...command: readonly string[]) => west.kubectl('exec', 'a', '--', ...command)
  const addressOf = (pod: string) => west.kubectl('get', 'pod', pod, '-o', 'jsonpath={.status.podIP}')

  test('pods of both clusters have addresses of the same range', async () => {
    const ranges = await Promise.all(
      [west, east].map((cluster) => cluster.kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].spec.podCIDR}')),
    )
    expect(ranges.map((text) => text.split(' ').sort())).toEqual([
      ['10.244.0.0/24', '10.244.1.0/24'],
      ['10.244.0.0/24'],
    ])
  })

  test('pods of two nodes reach each other', async () => {
    expect(await ask('ping', '-c', '2', await addressOf('b'))).toContain(' 0% packet loss')
  })

  test('a pod reaches a Service, and its own API server by the Service of that', { timeout: TEST_MS }, async () => {
    await west.kubectl('expose', 'pod', 'b', '--port=80')
    const service = await west.kubectl('get', 'service', 'b', '-o', 'jsonpath={.spec.clusterIP}')
    await expect
      .poll(() => ask('nc', '-w', '1', service, '80', '-e', 'true').then(() => 'open'), { timeout: 20_000 })
      .toBe('open')
    expect(await ask('nc', '-w', '2', '10.96.0.1', '443', '-e', 'true')).toBe('')
  })

  test('a pod reaches the internet with the address of its node', async () => {
    const node = east.nodes[0]?.address ?? ''
    expect(await ask('ping', '-c', '2', node)).toContain(' 0% packet loss')
  })

  test('a node sees its own processes, folders and pods alone', async () => {
    const [one, two] = west.nodes
    const podsOf = async (node = one) => (await node?.machine.run(['ls', '/run/netns']))?.trim().split('\n')
    expect(await podsOf(one)).toHaveLength(1)
    expect(await podsOf(two)).toHaveLength(1)
    expect(await one?.machine.run(['hostname'])).toBe('west-1\n')
    expect(await one?.machine.run(['sh', '-c', 'cat /proc/[0-9]*/comm'])).not.toContain('httpd')
    const groups = await one?.machine.run(['sh', '-c', 'cat /proc/[0-9]*/cgroup'])
    expect(groups).toMatch(/:\/kubepods\/besteffort\/pod/)
    expect(groups).not.toContain(one?.machine.host.name)
  })

  test('pods live on while kubelet and containerd are away', { timeout: TEST_MS }, async () => {
    const node = west.nodes[0]
    const startedAt = () => west.kubectl('get', 'pod', 'a', '-o', 'jsonpath={.status.containerStatuses[0].state}')
    const before = await startedAt()
    await node?.kubelet.stop('SIGKILL')
    await node?.containerd.stop('SIGKILL')
    await node?.startPrograms()
    await expect.poll(() => ask('true').then(() => 'runs', String), { timeout: 60_000 }).toBe('runs')
    expect(await startedAt()).toBe(before)
  })

  test('nothing is left when they are gone', { timeout: SETUP_MS }, async () => {
    const { prefix, directory } = lab
    const pids = await run(['sh', '-c', `ip netns pids ${prefix}west-1; ip netns pids ${prefix}east-1`])
    expect(pids.trim().split('\n').length).toBeGreaterThan(6)
    await lab.close()
    expect(await run(['ip', 'netns'])).not.toContain(prefix)
    expect(
      pids
        .trim()
        .split('\n')
        .filter((pid) => existsSync(`/proc/${pid}`)),
    ).toEqual([])
    expect(await run(['ps', '-e', '-o', 'args'])).not.toContain(`${directory}/`)
    expect(globSync(`/sys/fs/cgroup/**/${prefix}*`)).toEqual([])
    expect([directory, `/var/tmp/${basename(directory)}`].filter(existsSync)).toEqual([])
    expect(await run(['cat', '/proc/self/mounts'])).not.toMatch(new RegExp(`${prefix}|${basename(directory)}`))
  })
})

if (missing !== undefined) test.skip(`the tests with Kubernetes are skipped: ${missing}`, () => {})
