import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Backoff, KeyedQueue, Scope } from './index.ts'

test('KeyedQueue orders the tasks of a key, runs several keys concurrently, and forgets idle keys', async () => {
  const queue = new KeyedQueue()
  const seen: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = queue.run('a', async () => {
    await gate.promise
    seen.push('a1')
    throw new Error('a1 failed')
  })
  const second = queue.run('a', async () => void seen.push('a2'))
  await queue.run('b', async () => void seen.push('b1'))
  expect(seen).toEqual(['b1'])
  gate.resolve()
  await expect(first).rejects.toThrow('a1 failed')
  await second
  await queue.idle()
  expect(seen).toEqual(['b1', 'a1', 'a2'])
  expect(queue.size).toBe(0)
})

test('KeyedQueue never overlaps two tasks of a key', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), turns: fc.nat(3) })), async (tasks) => {
      const queue = new KeyedQueue()
      const running = new Set<string>()
      const order = new Map<string, number[]>()
      const runs = tasks.map(({ key, turns }, index) =>
        queue.run(key, async () => {
          expect(running.has(key)).toBe(false)
          running.add(key)
          for (let turn = 0; turn < turns; turn++) await Promise.resolve()
          order.set(key, [...(order.get(key) ?? []), index])
          running.delete(key)
        }),
      )
      await Promise.all(runs)
      for (const indices of order.values()) expect(indices).toEqual([...indices].sort((a, b) => a - b))
    }),
  )
})

test('Scope closes in reverse order, continues after a failure and reports it', async () => {
  const scope = new Scope()
  const closed: string[] = []
  scope.defer(() => void closed.push('first made'))
  scope.defer(() => {
    throw new Error('stuck')
  })
  scope.own({ close: () => void closed.push('last made') })
  await expect(scope.close()).rejects.toThrow('Cannot close every resource')
  expect(closed).toEqual(['last made', 'first made'])
  expect(scope.signal.aborted).toBe(true)
  expect(() => scope.defer(() => {})).toThrow('scope is closed')
})

test('Scope runs a task until it closes, and waits for its end', async () => {
  const scope = new Scope()
  let hasEnded = false
  scope.run(async (signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    await Promise.resolve()
    hasEnded = true
  })
  await scope.close()
  expect(hasEnded).toBe(true)
})

test('Backoff doubles up to its maximum, with jitter, and starts over after a reset', () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 450, random: () => 0 })
  expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([50, 100, 200, 225])
  backoff.reset()
  expect(backoff.next()).toBe(50)
  const full = new Backoff({ firstMs: 100, maxMs: 450, random: () => 0.999999 })
  expect(full.next()).toBeCloseTo(100, 2)
})
