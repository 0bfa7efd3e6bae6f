import { expect, test, vi } from 'vitest'
import { FakeClock } from '../../base/testing/index.ts'
import { SearchTurns } from './search-turns.ts'

/** A page that takes two milliseconds. */
const PAGE_MS = 2

test('a search alone begins at once', () => {
  let pages = 0
  new SearchTurns().run('a', async () => (pages += 1))
  expect(pages).toBe(1)
})

test('callers take turns, however many pages one of them asks for', async () => {
  const clock = new FakeClock()
  const turns = new SearchTurns(clock)
  const order: string[] = []
  const ask = (caller: string) =>
    turns.run(caller, async () => {
      order.push(caller)
      await clock.advance(PAGE_MS)
    })
  await Promise.all([ask('a'), ask('a'), ask('a'), ask('b'), ask('b')])
  expect(order).toEqual(['a', 'b', 'a', 'b', 'a'])
})

test('other work goes on between the pages', async () => {
  const turns = new SearchTurns()
  const order: string[] = []
  const page = () => turns.run('a', async () => {})
  const pages = Promise.all(Array.from({ length: 10 }, page)).then(() => order.push('pages'))
  setImmediate(() => order.push('other'))
  await pages
  expect(order).toEqual(['other', 'pages'])
})

test('what is done with a page is time of its caller, and nobody else rests', async () => {
  let nowMs = 0
  let wake = () => {}
  const after = (_ms: number, task: () => void) => {
    wake = task
    return () => {}
  }
  const turns = new SearchTurns({ monotonicMs: () => nowMs, after })
  const order: string[] = []
  const search = async (caller: string, costMs: number) => {
    for (let page = 0; page < 3; page += 1) {
      await turns.run(caller, async () => {})
      order.push(caller)
      nowMs += costMs
    }
  }
  const all = Promise.all([search('many', PAGE_MS), search('few', 0)])
  await vi.waitFor(() => expect(order).toHaveLength(4))
  expect(order).toEqual(['many', 'few', 'few', 'few'])
  for (const pages of [5, 6]) {
    nowMs += PAGE_MS
    wake()
    await vi.waitFor(() => expect(order).toHaveLength(pages))
  }
  await all
})

test('a page that fails fails its search alone', async () => {
  const turns = new SearchTurns()
  const [fails, reads] = await Promise.allSettled([
    turns.run('a', () => Promise.reject(new Error('no'))),
    turns.run('a', async () => 'page'),
  ])
  expect([fails.status, reads]).toEqual(['rejected', { status: 'fulfilled', value: 'page' }])
})
