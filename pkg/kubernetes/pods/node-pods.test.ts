import { expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { FakeKeeper, FakeNamespaces, podOf } from '../testing/index.ts'
import { NodePods } from './node-pods.ts'

const WIRES = 'networkservicemesh.io'
const SERVE = 'networkservicemesh.io/serve'
const DB = { [WIRES]: 'kernel://db/nsm-1' }
const TWO = { [WIRES]: 'kernel://db/nsm-1,kernel://files/nsm-2' }

function node() {
  const clock = new FakeClock()
  const [keeper, namespaces] = [new FakeKeeper(), new FakeNamespaces()]
  const pods = new NodePods({ keeper, namespaces, ownNamespace: 'nsmesh', clock, logger: silentLogger })
  const settle = async () => {
    await pods.idle()
    return keeper.seen()
  }
  namespaces.found.set('uid-web', 'inode://4/1')
  onTestFinished(async () => {
    await pods.close()
    expect([clock.pending, [...keeper.standing.keys()]]).toEqual([0, []])
  })
  return { clock, keeper, namespaces, pods, settle }
}

test('a running pod gets, changes and loses its wires as its annotation does', async () => {
  const { pods, settle } = node()
  pods.setPod(podOf())
  expect(await settle()).toEqual([])
  pods.setPod(podOf({ annotations: DB }))
  expect(await settle()).toEqual(['+ web nsm-1 db in inode://4/1'])
  pods.setPod(podOf({ annotations: TWO }))
  expect(await settle()).toEqual(['+ web nsm-2 files in inode://4/1'])
  pods.setPod(podOf({ annotations: { [WIRES]: 'kernel://db2/nsm-1,kernel://files/nsm-2' } }))
  expect(await settle()).toEqual(['- web nsm-1 db in inode://4/1', '+ web nsm-1 db2 in inode://4/1'])
  pods.setPod(podOf())
  expect(await settle()).toEqual(['- web nsm-2 files in inode://4/1', '- web nsm-1 db2 in inode://4/1'])
})

test('what only says how the pod starts changes no wire', async () => {
  const { pods, settle } = node()
  pods.setPod(podOf({ annotations: DB }))
  await settle()
  pods.setPod(podOf({ annotations: { [WIRES]: ' kernel://db/nsm-1?wait=false' } }))
  expect(await settle()).toEqual([])
})

test('an annotation that is refused leaves what stands, and says why', async () => {
  const { pods, settle } = node()
  pods.setPod(podOf({ annotations: DB }))
  await settle()
  pods.setPod(podOf({ annotations: { [WIRES]: 'db' } }))
  expect(await settle()).toEqual([])
  expect(pods.status('uid-web')?.refusals).toMatchObject([{ message: expect.stringMatching(/must look like/) }])
  pods.setPod(podOf({ annotations: TWO }))
  expect(await settle()).toEqual(['+ web nsm-2 files in inode://4/1'])
  expect(pods.status('uid-web')?.refusals).toEqual([])
})

test('pods inherit from their namespace, and follow it', async () => {
  const { pods, settle } = node()
  pods.setPod(podOf())
  pods.setNamespace('shop', DB)
  expect(await settle()).toEqual(['+ web nsm-1 db in inode://4/1'])
  pods.setPod(podOf({ annotations: { [WIRES]: '' } }))
  expect(await settle()).toEqual(['- web nsm-1 db in inode://4/1'])
  pods.setPod(podOf())
  expect(await settle()).toEqual(['+ web nsm-1 db in inode://4/1'])
  pods.setNamespace('shop', undefined)
  expect(await settle()).toEqual(['- web nsm-1 db in inode://4/1'])
})

test('an annotation that changes ten times in a moment is followed to its last state alone', async () => {
  const { pods, settle } = node()
  for (let at = 0; at < 10; at += 1) pods.setPod(podOf({ annotations: { [WIRES]: `kernel://s${at}/nsm-1` } }))
  expect(await settle()).toEqual(['+ web nsm-1 s9 in inode://4/1'])
})

test.each(['Succeeded', 'Failed'])('a pod that has %s has no wires, although its object stays', async (phase) => {
  const { pods, settle, namespaces } = node()
  pods.setPod(podOf({ annotations: DB }))
  await settle()
  pods.setPod(podOf({ annotations: DB, phase }))
  expect(await settle()).toEqual(['- web nsm-1 db in inode://4/1'])
  expect(namespaces.searches).toBe(1)
})

test('a pod that is deleted loses its wires', async () => {
  const { pods, settle } = node()
  pods.setPod(podOf({ annotations: DB }))
  await settle()
  pods.removePod('uid-web')
  expect(await settle()).toEqual(['- web nsm-1 db in inode://4/1'])
  expect([...pods.uids()]).toEqual([])
})

test('a sandbox that the gate lets in has wires before the pod runs', async () => {
  const { pods, settle, namespaces } = node()
  pods.enter('uid-web', { id: 'sandbox-1', namespace: 'inode://4/7' })
  expect(await settle()).toEqual([])
  pods.setPod(podOf({ annotations: DB, phase: 'Pending', isReady: false, podIp: '' }))
  expect(await settle()).toEqual(['+ web nsm-1 db in inode://4/7'])
  expect(namespaces.searches).toBe(0)
})

test('a sandbox that the gate lets in is starting until its pod runs', async () => {
  const { pods, settle } = node()
  expect(pods.isStarting('inode://4/7')).toBe(false)
  pods.enter('uid-web', { id: 'sandbox-1', namespace: 'inode://4/7' })
  expect([pods.isStarting('inode://4/7'), pods.isStarting('inode://4/8')]).toEqual([true, false])
  pods.setPod(podOf({ phase: 'Pending' }))
  expect(pods.isStarting('inode://4/7')).toBe(true)
  pods.setPod(podOf())
  expect(pods.isStarting('inode://4/7')).toBe(false)
  await settle()
})

test.each([
  ['pulls its image', ''],
  ['runs its init containers', '10.0.0.2'],
])('a pod that was let in before the daemon started, and still %s, has its wires', async (_, podIp) => {
  const { pods, settle, clock } = node()
  const starting = { annotations: DB, phase: 'Pending', isReady: false, startedMs: clock.nowMs() - 1 }
  pods.setPod(podOf({ ...starting, podIp }))
  expect(await settle()).toEqual(['+ web nsm-1 db in inode://4/1'])
  pods.setPod(podOf({ ...starting, podIp: '10.0.0.2' }))
  pods.setPod(podOf({ annotations: DB }))
  expect(await settle()).toEqual([])
})

test('a pod that waits since before the daemon started, and has no sandbox yet, is no news', async () => {
  const { pods, settle, namespaces, clock } = node()
  namespaces.found.clear()
  pods.setPod(podOf({ annotations: DB, phase: 'Pending', podIp: '', startedMs: clock.nowMs() - 1 }))
  expect(await settle()).toEqual([])
  expect([pods.status('uid-web')?.problem, clock.pending]).toEqual([undefined, 0])
  pods.enter('uid-web', { id: 'sandbox-1', namespace: 'inode://4/7' })
  expect(await settle()).toEqual(['+ web nsm-1 db in inode://4/7'])
})

test('the wires move to the next sandbox of the pod, and a late end of the former one does nothing', async () => {
  const { pods, settle } = node()
  pods.setPod(podOf({ annotations: DB }))
  pods.enter('uid-web', { id: 'sandbox-1', namespace: 'inode://4/7' })
  await settle()
  pods.enter('uid-web', { id: 'sandbox-2', namespace: 'inode://4/8' })
  expect(await settle()).toEqual(['- web nsm-1 db in inode://4/7', '+ web nsm-1 db in inode://4/8'])
  pods.leave('uid-web', 'sandbox-1')
  expect(await settle()).toEqual([])
})

test('a namespace is kept within reach for as long as its pod asks for something', async () => {
  const { pods, settle, namespaces } = node()
  pods.setPod(podOf({ annotations: { [SERVE]: 'db' }, isReady: false }))
  await settle()
  expect([...namespaces.kept]).toEqual([['uid-web', 'inode://4/1']])
  pods.enter('uid-web', { id: 'sandbox-1', namespace: 'inode://4/7' })
  await settle()
  expect([...namespaces.kept]).toEqual([['uid-web', 'inode://4/7']])
  pods.setPod(podOf({ annotations: {} }))
  await settle()
  expect([...namespaces.kept]).toEqual([])
})

test('the wires end with their sandbox', async () => {
  const { pods, settle, namespaces } = node()
  namespaces.found.clear()
  pods.setPod(podOf({ annotations: DB }))
  pods.enter('uid-web', { id: 'sandbox-1', namespace: 'inode://4/7' })
  await settle()
  pods.leave('uid-web', 'sandbox-1')
  expect(await settle()).toEqual(['- web nsm-1 db in inode://4/7'])
})

test('a sandbox that ended while nobody told is let go, and the one that runs is found', async () => {
  const { pods, settle, namespaces } = node()
  pods.enter('uid-web', { id: 'sandbox-1', namespace: 'inode://4/7' })
  namespaces.gone.add('inode://4/7')
  pods.setPod(podOf({ annotations: DB }))
  expect(await settle()).toEqual(['+ web nsm-1 db in inode://4/1'])
})

test('a sandbox that the pod has asked nothing for is found by its processes: its number may be that of another one', async () => {
  const { pods, settle } = node()
  pods.setPod(podOf({ annotations: DB }))
  pods.enter('uid-web', { id: 'sandbox-1', namespace: 'inode://4/7' })
  await settle()
  pods.setPod(podOf())
  expect(await settle()).toEqual(['- web nsm-1 db in inode://4/7'])
  pods.setPod(podOf({ annotations: DB }))
  expect(await settle()).toEqual(['+ web nsm-1 db in inode://4/1'])
})

test('a pod whose network was not found is looked for again, and says why it has no wire', async () => {
  const { pods, settle, namespaces, clock } = node()
  namespaces.found.clear()
  pods.setPod(podOf({ annotations: DB }))
  expect(await settle()).toEqual([])
  expect(pods.status('uid-web')?.problem).toMatch(/no process of it runs here/)
  namespaces.found.set('uid-web', 'inode://4/2')
  await clock.advance(1_000)
  expect(await settle()).toEqual(['+ web nsm-1 db in inode://4/2'])
  expect(pods.status('uid-web')?.problem).toBeUndefined()
})

test.each([
  ['has another address', (pods: NodePods) => pods.setPod(podOf({ annotations: DB, podIp: '10.0.0.3' }))],
  [
    'has a wire that is down',
    (_: NodePods, keeper: FakeKeeper) => keeper.tell('web nsm-1', { at: 'down', problem: '' }),
  ],
])('without the gate, the network of a pod is looked for again when it %s', async (_what, happen) => {
  const { pods, settle, namespaces, keeper } = node()
  pods.setPod(podOf({ annotations: DB }))
  await settle()
  namespaces.found.set('uid-web', 'inode://4/9')
  happen(pods, keeper)
  expect(await settle()).toEqual(['- web nsm-1 db in inode://4/1', '+ web nsm-1 db in inode://4/9'])
})

test('an endpoint serves only while its pod is Ready', async () => {
  const { pods, settle } = node()
  const annotations = { [SERVE]: 'db,files' }
  pods.setPod(podOf({ annotations, isReady: false }))
  expect(await settle()).toEqual([])
  pods.setPod(podOf({ annotations }))
  expect(await settle()).toEqual(['+ web serve db,files in inode://4/1'])
  pods.setPod(podOf({ annotations: { [SERVE]: 'db,files?version=v2' } }))
  expect(await settle()).toEqual(['- web serve db,files in inode://4/1', '+ web serve db,files in inode://4/1'])
  pods.setPod(podOf({ annotations, isReady: false }))
  expect(await settle()).toEqual(['- web serve db,files in inode://4/1'])
})

test('it tells of each change, and how the wires are', async () => {
  const { pods, settle, keeper } = node()
  pods.setPod(podOf({ annotations: TWO }))
  await settle()
  const told: string[] = []
  pods.subscribe((uid) => told.push(uid))
  keeper.tell('web nsm-1', { at: 'up' })
  keeper.tell('web nsm-1', { at: 'up' })
  keeper.tell('web nsm-2', { at: 'pending', problem: 'no endpoint' })
  expect(told).toContain('uid-web')
  expect(pods.status('uid-web')?.wires.map(({ asked, state }) => [asked.key, state])).toEqual([
    ['nsm-1', { at: 'up' }],
    ['nsm-2', { at: 'pending', problem: 'no endpoint' }],
  ])
  await settle()
})

test('the wires stand on when the daemon ends', async () => {
  const { pods, settle, keeper } = node()
  pods.setPod(podOf({ annotations: DB }))
  await settle()
  await pods.close()
  expect(keeper.seen()).toEqual(['~ web nsm-1 db in inode://4/1'])
})
