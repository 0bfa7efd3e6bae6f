/**
 * Every operation on the kernel, the dataplane and the disk that a change of a wire takes: failing once, failing for
 * ever, stuck, and the process dying before and after it. In the end the node has exactly the wires of the intents
 * that live, and the bystanders in the same namespaces are untouched.
 */
import { describe, expect, test } from 'vitest'
import { NsmError } from '../../pkg/base/index.ts'
import { FakeClock } from '../../pkg/base/testing/index.ts'
import type { Forwarder } from '../../pkg/forwarding/index.ts'
import { FakeNode, localWire, remoteWire, vxlanWire, wireguardEnd } from '../../pkg/forwarding/testing/fake-node.ts'
import type { WireIntent } from '../../pkg/mechanism/index.ts'
import { Crash, type Intercept, type Operation } from '../../pkg/platform/testing/index.ts'
import { converge, expectWorldOfIntents, finish, succeed } from './drive.ts'

const ID = 'w1'
const BYSTANDING_WIRE = localWire('w2')
const IDS = [ID, BYSTANDING_WIRE.id]

interface Change {
  readonly name: string
  /** The wire before the change. */
  readonly before: WireIntent | undefined
  readonly run: (forwarder: Forwarder, signal: AbortSignal) => Promise<void>
}

const wires: readonly { readonly name: string; readonly wire: WireIntent; readonly changed: WireIntent }[] = [
  {
    name: 'local wire',
    wire: localWire(ID),
    changed: localWire(ID, { mtuBytes: 1400, server: localWire('w7').server }),
  },
  {
    name: 'WireGuard wire',
    wire: remoteWire(ID),
    changed: remoteWire(ID, {
      client: remoteWire('w8').client,
      server: { ...wireguardEnd('w8'), aead: 'chacha20poly1305' },
    }),
  },
  { name: 'VXLAN wire', wire: vxlanWire(ID), changed: vxlanWire(ID, { mtuBytes: 1400 }) },
  { name: 'wire that turns local', wire: vxlanWire(ID), changed: localWire(ID) },
]

const changes: readonly Change[] = wires.flatMap(({ name, wire, changed }) => [
  { name: `establish a ${name}`, before: undefined, run: (forwarder, signal) => forwarder.establish(wire, signal) },
  { name: `change a ${name}`, before: wire, run: (forwarder, signal) => forwarder.establish(changed, signal) },
  { name: `remove a ${name}`, before: wire, run: (forwarder, signal) => forwarder.remove(ID, signal) },
])

const never = new AbortController().signal

interface Stage {
  readonly clock: FakeClock
  readonly node: FakeNode
  readonly forwarder: Forwarder
}

async function setUp({ before }: Change): Promise<Stage> {
  const clock = new FakeClock()
  const node = new FakeNode(clock)
  const forwarder = await succeed(clock, node.start())
  for (const intent of [BYSTANDING_WIRE, ...(before === undefined ? [] : [before])]) {
    await succeed(clock, forwarder.establish(intent, never))
  }
  await converge(clock, forwarder, IDS)
  return { clock, node, forwarder }
}

async function tearDown({ clock, node }: Stage, forwarder: Forwarder): Promise<void> {
  await succeed(clock, forwarder.close())
  expect(clock.pending).toBe(0)
  node.close()
}

/** Numbers the operations of the change; calls back instead of letting the chosen one through. */
function atStep(
  step: number,
  onStep: (operation: Operation, effect: () => void, signal: AbortSignal) => Promise<void>,
) {
  let seen = 0
  const intercept: Intercept = async (operation, effect, signal) => {
    if (seen++ === step) await onStep(operation, effect, signal)
    else effect()
  }
  return { intercept, hasBeenReached: () => seen > step, count: () => seen }
}

async function countSteps(change: Change): Promise<number> {
  const stage = await setUp(change)
  const counter = atStep(-1, async () => {})
  stage.node.inject(counter.intercept)
  await succeed(stage.clock, change.run(stage.forwarder, never))
  const count = counter.count()
  await tearDown(stage, stage.forwarder)
  return count
}

async function forEachStep(change: Change, visit: (step: number) => Promise<void>): Promise<void> {
  const steps = await countSteps(change)
  expect(steps).toBeGreaterThan(4)
  for (let step = 0; step < steps; step += 1) {
    try {
      await visit(step)
    } catch (error) {
      throw new Error(`at step ${step} of ${steps}`, { cause: error })
    }
  }
}

async function expectConverged(stage: Stage, forwarder: Forwarder): Promise<void> {
  await converge(stage.clock, forwarder, IDS)
  expect(forwarder.intents()).toContainEqual(BYSTANDING_WIRE)
  await expectWorldOfIntents(stage.node, forwarder)
}

/** A change that fails leaves the intents as they were, but for a removal: that was decided and goes on by itself. */
function expectDecided(change: Change, forwarder: Forwarder, hasFailed: boolean): void {
  const isRemoval = change.name.startsWith('remove')
  if (isRemoval) expect(forwarder.intent(ID)).toBeUndefined()
  else if (hasFailed) expect(forwarder.intent(ID)).toEqual(change.before)
  else expect(forwarder.intent(ID)).toBeDefined()
}

describe.each(changes)('$name', (change) => {
  test('each operation fails once', () =>
    forEachStep(change, async (step) => {
      const stage = await setUp(change)
      const error = new NsmError('internal', 'injected')
      stage.node.inject(
        atStep(step, async () => {
          throw error
        }).intercept,
      )
      const outcome = await finish(stage.clock, change.run(stage.forwarder, never))
      expectDecided(change, stage.forwarder, 'error' in outcome)
      if ('error' in outcome) expect(outcome.error).toBeInstanceOf(NsmError)
      await expectConverged(stage, stage.forwarder)
      await tearDown(stage, stage.forwarder)
    }))

  test('each operation fails for ever, until it is repaired', () =>
    forEachStep(change, async (step) => {
      const stage = await setUp(change)
      let broken: string | undefined
      const first = atStep(step, async ({ command }) => {
        broken = command
      })
      stage.node.inject(async (operation, effect, signal) => {
        await first.intercept(operation, () => {}, signal)
        if (operation.command === broken) throw new NsmError('internal', 'injected')
        effect()
      })
      const outcome = await finish(stage.clock, change.run(stage.forwarder, never))
      await stage.clock.advance(60_000)
      expectDecided(change, stage.forwarder, 'error' in outcome)
      stage.node.heal()
      await expectConverged(stage, stage.forwarder)
      await tearDown(stage, stage.forwarder)
    }))

  test('each operation is stuck until its caller has had enough', () =>
    forEachStep(change, async (step) => {
      const stage = await setUp(change)
      const stuck = atStep(step, (_operation, _effect, signal) => aborted(signal))
      stage.node.inject(stuck.intercept)
      const caller = new AbortController()
      stage.clock.after(1000, () => caller.abort())
      const outcome = await finish(stage.clock, change.run(stage.forwarder, caller.signal))
      expectDecided(change, stage.forwarder, 'error' in outcome)
      await expectConverged(stage, stage.forwarder)
      await stage.clock.advance(1000)
      await tearDown(stage, stage.forwarder)
    }))

  test.each(['before', 'after'] as const)('the process dies %s each operation', (when) =>
    forEachStep(change, async (step) => {
      const stage = await setUp(change)
      const dying = atStep(step, async (_operation, effect) => {
        if (when === 'after') effect()
        stage.node.kill()
        stage.node.inject(async () => {
          throw new Crash(when)
        })
        throw new Crash(when)
      })
      stage.node.inject(dying.intercept)
      await finish(stage.clock, change.run(stage.forwarder, never))
      expect(dying.hasBeenReached()).toBe(true)
      await restart(stage)
    }),
  )

  test.each(['before', 'after'] as const)('the process dies %s each write to the disk', async (when) => {
    for (let write = 0; write < 2; write += 1) {
      const stage = await setUp(change)
      let seen = 0
      stage.node.onDiskWrite = (at) => {
        if (at !== when || seen++ !== write) return
        stage.node.kill()
        stage.node.inject(async () => {
          throw new Crash(when)
        })
        throw new Crash(when)
      }
      await finish(stage.clock, change.run(stage.forwarder, never))
      await restart(stage)
    }
  })

  test('a disk that is full leaves all as it was', async () => {
    const stage = await setUp(change)
    stage.node.onDiskWrite = () => {
      throw new NsmError('resource_exhausted', 'Cannot write the state file: the disk is full')
    }
    const outcome = await finish(stage.clock, change.run(stage.forwarder, never))
    expect(outcome).toMatchObject({ error: { code: 'resource_exhausted' } })
    expect(stage.forwarder.intent(ID)).toEqual(change.before)
    await expectConverged(stage, stage.forwarder)
    await tearDown(stage, stage.forwarder)
  })
})

async function restart(stage: Stage): Promise<void> {
  await succeed(stage.clock, stage.forwarder.close())
  stage.node.heal()
  const next = await succeed(stage.clock, stage.node.start())
  await expectConverged(stage, next)
  await tearDown(stage, next)
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
