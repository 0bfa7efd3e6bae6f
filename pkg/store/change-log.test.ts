import { expect, test } from 'vitest'
import { ChangeLog } from './index.ts'

const change = (revision: number) => ({ revision })

/** Reads `count` changes after `revision`. */
async function read(log: ChangeLog<{ revision: number }>, revision: number, count: number): Promise<number[]> {
  const stop = new AbortController()
  const revisions: number[] = []
  for await (const each of log.watch(revision, stop.signal)) {
    revisions.push(each.revision)
    if (revisions.length === count) stop.abort()
  }
  return revisions
}

test('a watch yields what it missed, then what comes, each once and in order', async () => {
  const log = new ChangeLog(4)
  for (const revision of [5, 6, 7]) log.push(change(revision))
  const reading = read(log, 5, 4)
  await Promise.resolve()
  for (const revision of [8, 9]) log.push(change(revision))
  expect(await reading).toEqual([6, 7, 8, 9])
})

test('a watch resumes from no revision before the log', async () => {
  const log = new ChangeLog(4, 2)
  await expect(read(log, 3, 1)).rejects.toMatchObject({ code: 'failed_precondition' })
  for (const revision of [5, 6, 7]) log.push(change(revision))
  await expect(read(log, 4, 1)).rejects.toMatchObject({
    code: 'failed_precondition',
    fields: { revision: 4, floor: 5 },
  })
  expect(await read(log, 5, 2)).toEqual([6, 7])
})

test('a watcher that reads too slowly is cut off, and the others are not', async () => {
  const log = new ChangeLog(0, 10)
  const signal = new AbortController().signal
  const slow = log.watch(0, signal)
  log.push(change(1))
  expect((await slow.next()).value).toEqual(change(1))
  for (let revision = 2; revision <= 1_002; revision += 1) log.push(change(revision))
  const rest = async () => {
    while (!(await slow.next()).done);
  }
  await expect(rest()).rejects.toMatchObject({ code: 'resource_exhausted' })
  expect(await read(log, 1_000, 2)).toEqual([1_001, 1_002])
})
