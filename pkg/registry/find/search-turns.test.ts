import { expect, test } from 'vitest'
import { SearchTurns } from './search-turns.ts'

/** A page that takes two milliseconds. */
function work(): void {
  const startMs = performance.now()
  while (performance.now() - startMs < 2);
}

test('a search alone begins at once', () => {
  let pages = 0
  new SearchTurns().run('a', async () => (pages += 1))
  expect(pages).toBe(1)
})

test('callers take turns, however many pages one of them asks for', async () => {
  const turns = new SearchTurns()
  const order: string[] = []
  const ask = (caller: string) =>
    turns.run(caller, async () => {
      work()
      order.push(caller)
    })
  await Promise.all([ask('a'), ask('a'), ask('a'), ask('b'), ask('b')])
  expect(order).toEqual(['a', 'a', 'b', 'a', 'b'])
})

test('other work goes on between the pages', async () => {
  const turns = new SearchTurns()
  const order: string[] = []
  const page = () => turns.run('a', async () => void work())
  const pages = Promise.all(Array.from({ length: 10 }, page)).then(() => order.push('pages'))
  setImmediate(() => order.push('other'))
  await pages
  expect(order).toEqual(['other', 'pages'])
})

test('a page that fails fails its search alone', async () => {
  const turns = new SearchTurns()
  const [fails, reads] = await Promise.allSettled([
    turns.run('a', () => Promise.reject(new Error('no'))),
    turns.run('a', async () => 'page'),
  ])
  expect([fails.status, reads]).toEqual(['rejected', { status: 'fulfilled', value: 'page' }])
})
