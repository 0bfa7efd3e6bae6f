import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { NodePods } from '../pods/node-pods.ts'
import type { Pod } from '../pods/pod.ts'
import { FakeKeeper, FakeNamespaces, podOf } from '../testing/index.ts'
import { SlippedPods } from './slipped-pods.ts'

const DB = { 'networkservicemesh.io': 'kernel://db/nsm-1' }
const STANDS_MS = 1_000_000
const STARTED_MS = STANDS_MS + 5_000

function node() {
  const folder = mkdtempSync(join(tmpdir(), 'nsm-slipped-'))
  mkdirSync(join(folder, 'slipped'))
  writeFileSync(join(folder, 'stands'), '')
  utimesSync(join(folder, 'stands'), STANDS_MS / 1_000, STANDS_MS / 1_000)
  const namespaces = new FakeNamespaces()
  namespaces.found.set('uid-web', 'inode://4/1')
  const options = { keeper: new FakeKeeper(), namespaces, clock: new FakeClock(STANDS_MS), logger: silentLogger }
  const pods = new NodePods({ ...options, ownNamespace: 'nsmesh' })
  const slipped = new SlippedPods({ pods, folder, sinceMs: STANDS_MS, logger: silentLogger })
  onTestFinished(async () => {
    slipped.close()
    await pods.close()
    rmSync(folder, { recursive: true })
  })
  return { pods, folder, names: () => readdirSync(join(folder, 'slipped')) }
}

async function seen(pods: NodePods, ...states: readonly Partial<Pod>[]): Promise<void> {
  for (const state of states) {
    pods.setPod(podOf({ annotations: DB, startedMs: STARTED_MS, ...state }))
    await pods.idle()
  }
}

const STARTING = { phase: 'Pending', isReady: false, podIp: '' }

test('a pod that runs without having passed the gate is told of', async () => {
  const { pods, names } = node()
  await seen(pods, { ...STARTING, startedMs: 0 }, STARTING, {})
  expect(names()).toEqual(['uid-web'])
})

test.each<[string, readonly Partial<Pod>[]]>([
  ['asks for nothing', [{ ...STARTING, annotations: {} }, { annotations: {} }]],
  ['was annotated while it pulled its image', [{ ...STARTING, annotations: {} }, STARTING, {}]],
  ['was annotated while it ran', [{ ...STARTING, annotations: {} }, { annotations: {} }, {}]],
  [
    'does not wait',
    [STARTING, {}].map((state) => ({ ...state, annotations: { 'networkservicemesh.io': 'kernel://db/n?wait=false' } })),
  ],
  ['started before nsm-cni stood', [STARTING, {}].map((state) => ({ ...state, startedMs: STANDS_MS }))],
  ['ran already when the daemon started', [{}]],
])('a pod that %s has not slipped past it', async (_, states) => {
  const { pods, names } = node()
  await seen(pods, ...states)
  expect(names()).toEqual([])
})

test('nor has one that passed it', async () => {
  const { pods, names } = node()
  await seen(pods, STARTING)
  pods.enter('uid-web', { id: 'sandbox-1', namespace: 'inode://4/7' })
  await seen(pods, {})
  expect(names()).toEqual([])
})

test('nor any where nsm-cni does not stand', async () => {
  const { pods, names, folder } = node()
  rmSync(join(folder, 'stands'))
  await seen(pods, STARTING, {})
  expect(names()).toEqual([])
})
