import { describe, expect, onTestFinished, test } from 'vitest'
import { describeError, silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { NodePods } from '../pods/node-pods.ts'
import { FakeKeeper, FakeNamespaces, podOf } from '../testing/index.ts'
import { StartGate } from './start-gate.ts'

const WIRES = 'networkservicemesh.io'
const DB = { [WIRES]: 'kernel://db/nsm-1' }
const STARTING = { phase: 'Pending', isReady: false, podIp: '' }

function node() {
  const clock = new FakeClock()
  const [keeper, namespaces] = [new FakeKeeper(), new FakeNamespaces()]
  const pods = new NodePods({ keeper, namespaces, ownNamespace: 'nsmesh', clock, logger: silentLogger })
  const gate = new StartGate(clock)
  const open = new AbortController()
  const sandbox = (id: string) => ({ uid: 'uid-web', namespace: 'shop', name: 'web', sandbox: id })
  const said: string[] = []
  const add = (id = 'sandbox-1', network = 'inode://4/7') => {
    const answer = gate.answer({ at: 'add', network, ...sandbox(id) }, open.signal)
    answer.then(
      () => said.push(`${id} starts`),
      (error: unknown) => said.push(`${id}: ${describeError(error)}`),
    )
  }
  const del = (id: string) => gate.answer({ at: 'del', ...sandbox(id) }, open.signal)
  const settle = async () => {
    await pods.idle()
    await clock.advance(0)
    return said.splice(0)
  }
  onTestFinished(async () => {
    open.abort()
    await pods.close()
    expect([clock.pending, keeper.standing.size]).toEqual([0, 0])
  })
  return { clock, keeper, namespaces, pods, gate, open, add, del, settle }
}

function opened() {
  const all = node()
  all.gate.open(all.pods)
  return all
}

describe('a pod starts', () => {
  test('when its wires are up', async () => {
    const { pods, keeper, add, settle } = opened()
    pods.setPod(podOf({ annotations: { [WIRES]: 'kernel://db/nsm-1,kernel://files/nsm-2' }, ...STARTING }))
    add()
    expect(await settle()).toEqual([])
    keeper.tell('web nsm-1', { at: 'up' })
    expect(await settle()).toEqual([])
    keeper.tell('web nsm-2', { at: 'up' })
    expect(await settle()).toEqual(['sandbox-1 starts'])
  })

  test('when the API server has told of it, which may be later', async () => {
    const { pods, keeper, add, settle } = opened()
    add()
    expect(await settle()).toEqual([])
    pods.setPod(podOf({ annotations: DB, ...STARTING }))
    await settle()
    keeper.tell('web nsm-1', { at: 'up' })
    expect(await settle()).toEqual(['sandbox-1 starts'])
  })

  test('when the daemon has started, which may be later', async () => {
    const { pods, gate, add, settle } = node()
    pods.setPod(podOf(STARTING))
    add()
    expect(await settle()).toEqual([])
    gate.open(pods)
    expect(await settle()).toEqual(['sandbox-1 starts'])
  })

  test.each([
    ['asks for nothing', {}],
    ['does not wait for its wires', { [WIRES]: 'kernel://db/nsm-1?wait=false' }],
    ['only serves, which it can do when it runs', { 'networkservicemesh.io/serve': 'db' }],
  ])('at once when it %s', async (_, annotations) => {
    const { pods, add, settle } = opened()
    pods.setPod(podOf({ annotations, ...STARTING }))
    add()
    expect(await settle()).toEqual(['sandbox-1 starts'])
  })

  test('again in another sandbox, to which its wires move; the late end of the former one changes nothing', async () => {
    const { pods, keeper, add, del, settle } = opened()
    pods.setPod(podOf({ annotations: DB }))
    add()
    await settle()
    keeper.tell('web nsm-1', { at: 'up' })
    await settle()
    add('sandbox-2', 'inode://4/8')
    expect(await settle()).toEqual([])
    keeper.seen()
    keeper.tell('web nsm-1', { at: 'up' })
    await del('sandbox-1')
    expect(await settle()).toEqual(['sandbox-2 starts'])
    expect(keeper.seen()).toEqual([])
  })
})

describe('a pod does not start', () => {
  test.each([
    ['API server', undefined, 'this node has not heard of the pod from the API server yet'],
    ['service', 'Cannot find an endpoint', 'its wire to db is not up: Cannot find an endpoint'],
    ['service that says nothing', undefined, 'its wire to db is not up'],
  ])('without a word of its %s, and is told so before nsm-cni gives up', async (whose, problem, reason) => {
    const { pods, keeper, clock, add, settle } = opened()
    if (whose !== 'API server') pods.setPod(podOf({ annotations: DB, ...STARTING }))
    add()
    await settle()
    if (problem !== undefined) keeper.tell('web nsm-1', { at: 'pending', problem })
    await clock.advance(6_900)
    expect(await settle()).toEqual([])
    await clock.advance(100)
    expect(await settle()).toEqual([`sandbox-1: Cannot start the pod: ${reason}`])
  })

  test('when one of its wires is denied, and is told so at once', async () => {
    const { pods, keeper, add, settle } = opened()
    pods.setPod(podOf({ annotations: { [WIRES]: 'kernel://files/nsm-2,kernel://db/nsm-1' }, ...STARTING }))
    add()
    await settle()
    keeper.tell('web nsm-2', { at: 'pending', problem: 'Cannot find an endpoint' })
    keeper.tell('web nsm-1', { at: 'pending', problem: 'Cannot use the service', isDenied: true })
    expect(await settle()).toEqual([
      'sandbox-1: Cannot start the pod: its wire to db is not up: Cannot use the service',
    ])
  })

  test('with an annotation that is refused', async () => {
    const { pods, add, settle } = opened()
    pods.setPod(podOf({ annotations: { [WIRES]: 'db' }, ...STARTING }))
    add()
    expect(await settle()).toEqual([expect.stringMatching(/^sandbox-1: Cannot use the annotation .* must look like/)])
  })

  test('before its daemon follows the API server', async () => {
    const { clock, add, settle } = node()
    add()
    await clock.advance(7_000)
    expect(await settle()).toEqual(['sandbox-1: Cannot start the pod: its node does not follow the API server yet'])
  })
})

test('the end of a sandbox is heard at once, also of one that nobody knows, and before the daemon has started', async () => {
  const { gate, pods, del, keeper, add, settle } = node()
  await del('sandbox-0')
  gate.open(pods)
  await del('sandbox-0')
  pods.setPod(podOf({ annotations: DB, ...STARTING }))
  add()
  await settle()
  await del('sandbox-1')
  await settle()
  expect(keeper.seen()).toEqual(['+ web nsm-1 db in inode://4/7', '- web nsm-1 db in inode://4/7'])
})

test('who does not wait any more is forgotten', async () => {
  const { open, add, clock, settle } = opened()
  add()
  open.abort(new Error('gone'))
  expect(await settle()).toEqual(['sandbox-1: gone'])
  expect(clock.pending).toBe(0)
})
