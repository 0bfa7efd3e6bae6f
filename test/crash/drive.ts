/** Moves a fake node's time until something is done, and says what a node should look like in the end. */
import { expect } from 'vitest'
import { FakeClock } from '../../pkg/base/testing/index.ts'
import type { Forwarder } from '../../pkg/forwarding/index.ts'
import { FakeNode } from '../../pkg/forwarding/testing/fake-node.ts'
import type { WireIntent } from '../../pkg/mechanism/index.ts'

const STEP_MS = 250
const MOST_STEPS = 2000

export type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/** The result of `promise`, moving time for as long as it needs. */
export async function finish<T>(clock: FakeClock, promise: Promise<T>): Promise<Outcome<T>> {
  let outcome: Outcome<T> | undefined
  promise.then(
    (value) => {
      outcome = { value }
    },
    (error) => {
      outcome = { error }
    },
  )
  for (let step = 0; step < MOST_STEPS; step += 1) {
    await clock.advance(outcome === undefined && step > 0 ? STEP_MS : 0)
    if (outcome !== undefined) return outcome
  }
  throw new Error('is not done after all this time')
}

export async function succeed<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  const outcome = await finish(clock, promise)
  if ('error' in outcome) throw outcome.error
  return outcome.value
}

/** Waits until every wire in `ids` is as it should be, or gone as it should be. */
export async function converge(clock: FakeClock, forwarder: Forwarder, ids: readonly string[]): Promise<void> {
  const isDone = (id: string) => forwarder.status(id)?.at === (forwarder.intent(id) && 'settled')
  for (let step = 0; step < MOST_STEPS && !ids.every(isDone); step += 1) await clock.advance(STEP_MS)
  // What the last changes have set off: events, and the look that they cause.
  for (let step = 0; step < 4; step += 1) await clock.advance(STEP_MS)
  expect(Object.fromEntries(ids.filter((id) => !isDone(id)).map((id) => [id, forwarder.status(id)]))).toEqual({})
}

const worlds = new Map<string, unknown>()

/** What a node looks like that was never disturbed and has exactly these wires. */
export async function worldOf(intents: readonly WireIntent[]): Promise<unknown> {
  const key = JSON.stringify(intents)
  if (!worlds.has(key)) {
    const clock = new FakeClock()
    const node = new FakeNode(clock)
    const forwarder = await succeed(clock, node.start())
    for (const intent of intents) await succeed(clock, forwarder.establish(intent, new AbortController().signal))
    worlds.set(key, node.world())
    await succeed(clock, forwarder.close())
    node.close()
  }
  return worlds.get(key)
}

/** The node has exactly the wires of the intents that live, and its bystanders. */
export async function expectWorldOfIntents(node: FakeNode, forwarder: Forwarder): Promise<void> {
  expect(node.world()).toEqual(await worldOf(forwarder.intents()))
  const touched = node.transcript.filter((command) => /\beth0\b|192\.0\.2\.9/.test(command))
  expect(touched).toEqual([])
}
