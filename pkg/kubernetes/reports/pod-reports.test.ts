import { expect, onTestFinished, test } from 'vitest'
import { NsmError, silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { NodePods } from '../pods/node-pods.ts'
import type { Pod } from '../pods/pod.ts'
import { FakeApiServer, FakeKeeper, FakeNamespaces, podOf } from '../testing/index.ts'
import { PodReports } from './pod-reports.ts'

const WIRES = 'networkservicemesh.io'
const SERVE = 'networkservicemesh.io/serve'
const DB = { [WIRES]: 'kernel://db/nsm-1' }
const TWO = { [WIRES]: 'kernel://db/nsm-1,kernel://files' }
const UP = { at: 'up' } as const
const DOWN = { at: 'down', problem: undefined } as const
const DENIED = { at: 'pending', problem: 'no privileges; ask the admin' } as const

/** A node that has just started, at an API server that has stood before. */
function node(api = new FakeApiServer()) {
  const clock = new FakeClock()
  const [keeper, namespaces] = [new FakeKeeper(), new FakeNamespaces()]
  const common = { clock, logger: silentLogger }
  const pods = new NodePods({ keeper, namespaces, ownNamespace: 'nsmesh', ...common })
  const reports = new PodReports({ pods, client: api.client, nodeName: 'n1', ...common })
  reports.begin()
  /** As the API server tells it: with the condition that stands there. */
  const apply = async (change: Partial<Pod> = {}) => {
    const pod = podOf({ annotations: DB, ...change })
    namespaces.found.set(pod.uid, `inode://4/${pod.uid}`)
    pods.setPod({ ...pod, condition: api.conditions.get(pod.name) })
    await clock.advance(0)
    await pods.idle()
  }
  const tell = async (name: string, state: Parameters<FakeKeeper['tell']>[1]) => {
    keeper.tell(name, state)
    await clock.advance(100)
  }
  const after = async (ms: number) => {
    await clock.advance(ms)
    return api.seen()
  }
  const close = async () => {
    await reports.close()
    await pods.close()
    expect(clock.pending).toBe(0)
  }
  onTestFinished(close)
  return { clock, keeper, namespaces, pods, reports, api, apply, tell, after }
}

const IS_UP = [
  'web: True WiresUp nsm-1 to db is up',
  'web: Normal WireUp nsm-1 to db is up; NetworkPolicies do not apply to it',
]
const IS_DENIED = [
  'web: False WireDenied nsm-1 to db: no privileges; ask the admin',
  'web: Warning WireDenied nsm-1 to db: no privileges; ask the admin',
]

test('a pod whose wires come up gets a condition and one event, at once', async () => {
  const { apply, tell, after, api } = node()
  await apply({ annotations: TWO })
  await tell('web nsm-1', UP)
  expect(await after(0)).toEqual([])
  await tell('web files', UP)
  expect(await after(0)).toEqual([
    'web: True WiresUp nsm-1 to db, the wire to files are up',
    'web: Normal WireUp nsm-1 to db, the wire to files are up; NetworkPolicies do not apply to them',
  ])
  expect(api.conditions.get('web')).toMatchObject({
    type: 'networkservicemesh.io/wires',
    lastTransitionTime: expect.any(String),
  })
  expect(await after(3_600_000)).toEqual([])
})

test('an event is about the pod, by its uid, and says which node tells it', async () => {
  const { apply, tell, api } = node()
  await apply()
  await tell('web nsm-1', UP)
  const [event] = api.events.values()
  expect(event).toMatchObject({
    metadata: { namespace: 'shop', name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) },
    regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web', uid: 'uid-web' },
    eventTime: expect.stringMatching(/^2030-01-01T00:00:00\.\d{6}Z$/),
    reportingController: 'networkservicemesh.io/nsmd',
    reportingInstance: 'n1',
  })
})

test('a wire that is not given is told with its reason, unless it comes up within 2 s', async () => {
  const { apply, tell, after } = node()
  await apply()
  await tell('web nsm-1', DENIED)
  expect(await after(1_500)).toEqual([])
  expect(await after(500)).toEqual(IS_DENIED)
  await tell('web nsm-1', UP)
  expect(await after(60_000)).toEqual(IS_UP)
})

test('a wire that is asked for again and again is denied once', async () => {
  const { apply, tell, after } = node()
  for (let at = 0; at < 10; at += 1) {
    await apply()
    await tell('web nsm-1', DENIED)
    await tell('web nsm-1', { at: 'pending', problem: undefined })
    expect(await after(30_000)).toEqual(at === 0 ? IS_DENIED : [])
  }
})

test.each([
  [
    'an annotation that is malformed',
    { annotations: { [WIRES]: 'db' } },
    'must look like .*; write for example kernel:',
  ],
  ['a pod on the network of its node', { isHostNetwork: true }, 'has no network of its own; leave hostNetwork out'],
  ['a static pod', { isStatic: true }, 'has no identity; run the pod by a DaemonSet'],
])('%s is told what to do instead', async (_, change, why) => {
  const { apply, after } = node()
  await apply(change)
  expect(await after(2_100)).toEqual([
    expect.stringMatching(`^web: False WireDenied the wires: .* ${why}`),
    expect.stringMatching(`^web: Warning WireDenied the wires: .* ${why}`),
  ])
})

test('a pod whose network is not found is told so', async () => {
  const { apply, after, namespaces } = node()
  namespaces.find = async () => {
    throw new NsmError(
      'failed_precondition',
      'Cannot find the network of the pod: its processes do not agree on the pod',
    )
  }
  await apply()
  expect(await after(2_100)).toEqual([
    expect.stringMatching(
      '^web: False WireDenied nsm-1 to db: .* do not agree on the pod; see how .* kubectl nsm status',
    ),
    expect.stringMatching('^web: Warning WireDenied nsm-1 to db: .* do not agree on the pod'),
  ])
})

test('an endpoint that cannot be registered is told, and changes no condition', async () => {
  const { apply, tell, after } = node()
  await apply({ annotations: { [SERVE]: 'db' } })
  await tell('web serve', { at: 'pending', problem: 'another one has its name' })
  expect(await after(2_000)).toEqual(['web: Warning ServeDenied the endpoint: another one has its name'])
  await tell('web serve', UP)
  expect(await after(60_000)).toEqual([])
})

test.each([
  ['within 2 s: nothing is told', 1_000, []],
  [
    'later: both are told',
    4_000,
    ['web: False WireDown', 'web: Warning WireDown', 'web: True WiresUp', 'web: x2 WireUp'],
  ],
])('a wire that heals %s', async (_, ms, told) => {
  const { apply, tell, after, clock } = node()
  await apply()
  await tell('web nsm-1', UP)
  await after(120_000)
  await tell('web nsm-1', DOWN)
  await clock.advance(ms)
  await tell('web nsm-1', UP)
  expect((await after(60_000)).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual(told)
})

test('a wire that flaps for an hour costs four writes a minute, and its events are two objects', async () => {
  const { apply, tell, clock, api } = node()
  await apply()
  for (let at = 0; at < 600; at += 1) {
    await tell('web nsm-1', UP)
    await tell('web nsm-1', DOWN)
    await clock.advance(5_800)
  }
  expect(api.calls).toBeLessThan(4 * 60 + 3)
  expect(api.events.size).toBe(2)
})

test('200 pods at once: three writes each at most, and a pause between two of them', async () => {
  const { apply, keeper, after, clock, api } = node()
  const names = Array.from({ length: 200 }, (_, at) => `web-${at}`)
  for (const name of names) await apply({ uid: `uid-${name}`, name })
  for (const name of names) keeper.tell(`${name} nsm-1`, { at: 'pending', problem: `too many ask: ${name}` })
  await clock.advance(2_500)
  expect(api.calls).toBeLessThanOrEqual(26)
  await clock.advance(5_500)
  for (const name of names) keeper.tell(`${name} nsm-1`, UP)
  await clock.advance(20_000)
  expect(api.calls).toBeLessThanOrEqual(3 * 200)
  expect([...api.conditions.values()].every(({ status }) => status === 'True')).toBe(true)
  expect((await after(60_000)).filter((line) => line.includes('Normal WireUp'))).toHaveLength(200)
})

test('while the API server is away, wires come and go, and afterwards it is told how they are', async () => {
  const { apply, tell, after, clock, api, keeper } = node()
  await apply()
  api.failure = new NsmError('unavailable', 'Cannot reach the API server')
  for (let at = 0; at < 30; at += 1) {
    await tell('web nsm-1', at % 2 === 0 ? DOWN : UP)
    await clock.advance(60_000)
  }
  expect(api.calls).toBeLessThan(30 * 5)
  expect(keeper.seen()).toEqual(['+ web nsm-1 db in inode://4/uid-web'])
  api.failure = undefined
  expect(await after(30_000)).toEqual(IS_UP)
})

test('what is refused of one pod is tried again in a minute, and keeps no other pod waiting', async () => {
  const { apply, tell, after, api } = node()
  await apply()
  await apply({ uid: 'uid-other', name: 'other' })
  api.failure = new NsmError('invalid_argument', 'Cannot write the object')
  await tell('web nsm-1', UP)
  api.failure = undefined
  await tell('other nsm-1', UP)
  expect((await after(1_000)).map((line) => line.split(':')[0])).toEqual(['other', 'other'])
  expect(await after(60_000)).toEqual(IS_UP)
})

test('a pod at whose writes the API server fails again and again keeps no other pod waiting', async () => {
  const { apply, tell, after, api } = node()
  await apply()
  await apply({ uid: 'uid-other', name: 'other' })
  api.failure = new NsmError('unavailable', 'Cannot write: the API server failed', { fields: { status: 500 } })
  await tell('web nsm-1', UP)
  api.failsOf = 'web'
  await tell('other nsm-1', UP)
  expect((await after(1_000)).map((line) => line.split(':')[0])).toEqual(['other', 'other'])
  api.failure = undefined
  expect(await after(60_000)).toEqual(IS_UP)
})

test('after a restart nothing is told that was told before', async () => {
  const api = new FakeApiServer()
  const before = node(api)
  await before.apply()
  await before.tell('web nsm-1', UP)
  expect(await before.after(0)).toEqual(IS_UP)
  const { apply, tell, after } = node(api)
  await apply()
  expect(await after(10_000)).toEqual([])
  await tell('web nsm-1', UP)
  expect(await after(120_000)).toEqual([])
})

test.each([
  ['is denied', DENIED, IS_DENIED],
  [
    'is down',
    DOWN,
    [
      'web: False WireDown nsm-1 to db is down, and asked for again',
      'web: Warning WireDown nsm-1 to db is down, and asked for again',
    ],
  ],
])('after a restart, a wire that %s is told so only when it was not taken up within 20 s', async (_, state, told) => {
  const api = new FakeApiServer()
  const before = node(api)
  await before.apply()
  await before.tell('web nsm-1', UP)
  await before.after(0)
  const { apply, tell, after } = node(api)
  await apply()
  await tell('web nsm-1', state)
  expect(await after(19_000)).toEqual([])
  expect(await after(2_000)).toEqual(told)
})

test('after a restart, a pod that is refused as before is not told so again', async () => {
  const api = new FakeApiServer()
  const before = node(api)
  await before.apply()
  await before.tell('web nsm-1', DENIED)
  expect(await before.after(2_000)).toEqual(IS_DENIED)
  const { apply, tell, after } = node(api)
  await apply()
  await tell('web nsm-1', DENIED)
  expect(await after(120_000)).toEqual([])
  await tell('web nsm-1', UP)
  expect(await after(0)).toEqual(IS_UP)
})

test('a condition that somebody else has changed is put right', async () => {
  const { apply, tell, after, api } = node()
  await apply()
  await tell('web nsm-1', UP)
  await apply()
  expect(await after(60_000)).toEqual(IS_UP)
  api.conditions.delete('web')
  await apply()
  expect(await after(60_000)).toEqual(IS_UP.slice(0, 1))
})

test('a pod that asks for no wire has the condition only where one stands, or its readiness waits for it', async () => {
  const { apply, tell, after } = node()
  await apply({ annotations: {} })
  expect(await after(10_000)).toEqual([])
  await apply({ annotations: {}, isReadyByWires: true })
  expect(await after(10_000)).toEqual(['web: True NoWires the pod asks for no wire'])
  await apply({ annotations: DB, isReadyByWires: true })
  expect(await after(60_000)).toEqual(['web: False WirePending nsm-1 to db is being asked for'])
  await tell('web nsm-1', UP)
  expect(await after(0)).toEqual(IS_UP)
})

test('a pod that has ended, and one that is gone, is not told of', async () => {
  const { apply, tell, after, pods } = node()
  await apply()
  await tell('web nsm-1', DENIED)
  await apply({ phase: 'Succeeded' })
  expect(await after(60_000)).toEqual([])
  await apply({ uid: 'uid-other', name: 'other' })
  await tell('other nsm-1', DENIED)
  pods.removePod('uid-other')
  expect(await after(60_000)).toEqual([])
})
