import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'

const SERVE = 'files?prefix=172.16.1.0/28'

describe('the pods of a node', () => {
  const sandbox = new Sandbox()
  let west: SandboxDomain
  let near: SandboxNode
  let far: SandboxNode
  let server: string

  beforeAll(async () => {
    west = await sandbox.domain('west')
    near = await west.node('n1', { NSM_KUBERNETES: 'on' })
    far = await west.node('n2', { NSM_KUBERNETES: 'on' })
    server = far.pods.apply({ name: 'files-0', serve: SERVE })
    await until('the endpoint of the pod', async () => (await endpoints()).includes('files-0.shop'))
  })
  afterAll(() => sandbox.close())

  const endpoints = async () => (await west.registered()).map(({ name }) => name)
  const hasLinks = (node: SandboxNode, namespace: string, links: readonly string[]) =>
    until(`the links ${links.join(', ')}`, () => `${node.links(namespace)}` === `${links}`)

  it('get the wires that their annotation names, to a pod that serves at another node', async () => {
    const client = near.pods.apply({ name: 'asks', wires: 'kernel://files/nsm-1' })
    await hasLinks(near, client, ['nsm-1'])
    expect(far.links(server)).toHaveLength(1)
    near.pods.remove('asks')
    await hasLinks(near, client, [])
    await until('the other end to be gone', () => far.links(server).length === 0)
  })

  it('get, change and lose wires while they run', async () => {
    const pod = { name: 'changes' }
    const client = near.pods.apply(pod)
    near.pods.apply({ ...pod, wires: 'kernel://files/nsm-1' })
    await hasLinks(near, client, ['nsm-1'])
    near.pods.apply({ ...pod, wires: 'kernel://files/nsm-2' })
    await hasLinks(near, client, ['nsm-2'])
    near.pods.apply(pod)
    await hasLinks(near, client, [])
  })

  it('are told how their wires are, by events and a condition', async () => {
    const told = () => near.pods.written.filter((line) => /^(good|bad|later): /.test(line))
    near.pods.apply({ name: 'good', wires: 'kernel://files/nsm-1' })
    await until('the good news', () => told().length === 2)
    expect(told()).toEqual([
      'good: True WiresUp nsm-1 to files is up',
      'good: WireUp nsm-1 to files is up; NetworkPolicies do not apply to it',
    ])
    near.pods.apply({ name: 'bad', wires: 'kernel://nobody/nsm-1' })
    await until('the bad news', () => told().length === 4)
    const why = 'WireDenied nsm-1 to nobody: Cannot find .*; list the .* with: kubectl nsm get'
    expect(told().slice(2)).toEqual([
      expect.stringMatching(new RegExp(`^bad: False ${why}`)),
      expect.stringMatching(new RegExp(`^bad: ${why}`)),
    ])
    near.pods.remove('bad')
    await near.stop()
    await near.start()
    near.pods.apply({ name: 'later', wires: 'kernel://files/nsm-1' })
    await until('the news of a later pod', () => told().length === 6)
    expect(
      told()
        .slice(4)
        .every((line) => line.startsWith('later:')),
    ).toBe(true)
    near.pods.remove('good')
    near.pods.remove('later')
  })

  it('keep their wires when the node restarts, and lose those that they no longer want', async () => {
    const stays = near.pods.apply({ name: 'stays', wires: 'kernel://files/nsm-1' })
    const leaves = near.pods.apply({ name: 'leaves', wires: 'kernel://files/nsm-1' })
    await hasLinks(near, stays, ['nsm-1'])
    await hasLinks(near, leaves, ['nsm-1'])
    await near.stop()
    near.pods.remove('leaves')
    const before = near.writes.length
    await near.start()
    await hasLinks(near, leaves, [])
    expect(near.writes.slice(before).filter((line) => line.includes(stays))).toEqual([])
    near.pods.remove('stays')
    await hasLinks(near, stays, [])
  })

  it('have no wire once they have ended, though their objects stay', async () => {
    const job = { name: 'job', wires: 'kernel://files/nsm-1' }
    const client = near.pods.apply(job)
    await hasLinks(near, client, ['nsm-1'])
    near.pods.apply({ ...job, phase: 'Succeeded' })
    await hasLinks(near, client, [])
  })

  it('take their wires along to a new sandbox', async () => {
    const pod = { name: 'restarts', wires: 'kernel://files/nsm-1' }
    const former = near.pods.apply(pod)
    await hasLinks(near, former, ['nsm-1'])
    const next = near.pods.restart(pod)
    await hasLinks(near, next, ['nsm-1'])
    expect([near.links(former), far.links(server)]).toMatchObject([[], { length: 1 }])
    near.pods.remove('restarts')
    await hasLinks(near, next, [])
  })

  it('serve only while they are ready, and others take over', async () => {
    const client = near.pods.apply({ name: 'fails-over', wires: 'kernel://files/nsm-1' })
    await hasLinks(near, client, ['nsm-1'])
    const second = near.pods.apply({ name: 'files-1', serve: 'files?prefix=172.16.1.16/28' })
    await until('the second endpoint', async () => (await endpoints()).includes('files-1.shop'))
    far.pods.apply({ name: 'files-0', serve: SERVE, isReady: false })
    await until('the wire at the second endpoint', () => near.links(second).length === 1)
    expect(near.links(client)).toEqual(['nsm-1'])
    far.pods.apply({ name: 'files-0', serve: SERVE })
    near.pods.remove('fails-over')
    near.pods.remove('files-1')
    await until(
      'one endpoint',
      async () => `${(await endpoints()).filter((name) => name !== 'files')}` === 'files-0.shop',
    )
  })
})
