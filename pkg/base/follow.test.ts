import { expect, it } from 'vitest'
import { isAway, NsmError, StreamRenewal } from './errors.ts'
import { follow, followStream, retryUntilDone } from './follow.ts'
import { type Logger, silentLogger } from './logger.ts'
import { FakeClock } from './testing/fake-clock.ts'

const retry = { firstMs: 100, maxMs: 1_000, random: () => 1 }
const away = () => new NsmError('unavailable', 'Cannot reach it')

it('follow backs off after each failure, and starts over after an attempt that worked', async () => {
  const clock = new FakeClock()
  const abort = new AbortController()
  const atMs: number[] = []
  const startMs = clock.monotonicMs()
  const running = follow({ clock, retry, signal: abort.signal }, async (works) => {
    atMs.push(clock.monotonicMs() - startMs)
    if (atMs.length === 4) works()
    throw away()
  })
  await clock.advance(1_000)
  abort.abort()
  await running
  expect(atMs).toEqual([0, 100, 300, 700, 800, 1_000])
  expect(clock.pending).toBe(0)
})

it('follow reports failures, but not the one that its own end causes', async () => {
  const clock = new FakeClock()
  const abort = new AbortController()
  const failures: unknown[] = []
  const options = { clock, retry, signal: abort.signal, onFailure: (error: unknown) => failures.push(error) }
  const running = follow(options, async () => {
    if (failures.length === 2) abort.abort()
    throw away()
  })
  await clock.advance(10_000)
  await running
  expect(failures).toHaveLength(2)
})

it('a stream that is renewed is opened again at once, and nobody is told', async () => {
  const clock = new FakeClock()
  const abort = new AbortController()
  const failures: unknown[] = []
  const options = { clock, retry, signal: abort.signal, onFailure: (error: unknown) => failures.push(error) }
  let attempts = 0
  const attempt = async () => {
    attempts += 1
    if (attempts % 3 === 0) abort.abort()
    throw new StreamRenewal()
  }
  await follow(options, attempt)
  expect([attempts, failures, clock.pending]).toEqual([3, [], 0])
})

it('followStream opens its stream again after an end and after a failure', async () => {
  const clock = new FakeClock()
  const abort = new AbortController()
  let opened = 0
  async function* open() {
    opened += 1
    yield opened
    if (opened === 2) throw away()
  }
  const values: number[] = []
  const reading = (async () => {
    for await (const value of followStream({ clock, retry, signal: abort.signal }, open)) values.push(value)
  })()
  await clock.advance(250)
  abort.abort()
  await reading
  expect(values).toEqual([1, 2, 3])
})

it('retryUntilDone returns the first success and throws an error that is not retried', async () => {
  const clock = new FakeClock()
  const options = { clock, retry, signal: new AbortController().signal, isRetried: isAway }
  let attempts = 0
  const done = retryUntilDone(options, async () => {
    attempts += 1
    if (attempts < 3) throw away()
    return 'here'
  })
  await clock.advance(1_000)
  expect(await done).toBe('here')
  const refused = retryUntilDone(options, async () => {
    throw new NsmError('permission_denied', 'Cannot do it')
  })
  await expect(refused).rejects.toMatchObject({ code: 'permission_denied' })
})

it('retryUntilDone ends with the reason of its signal', async () => {
  const clock = new FakeClock()
  const abort = new AbortController()
  const done = retryUntilDone({ clock, retry, signal: abort.signal, isRetried: isAway }, async () => {
    throw away()
  })
  abort.abort(new NsmError('cancelled', 'Cannot continue: the owner is closing'))
  await expect(done).rejects.toMatchObject({ code: 'cancelled' })
})

it('every loop logs its first failure, and then one a minute with the count', async () => {
  const lines: string[] = []
  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields) => lines.push(`${message} ${fields?.['repeated']}`),
  }
  const clock = new FakeClock()
  const abort = new AbortController()
  const options = { clock, retry, signal: abort.signal, log: { logger, message: 'Lost it' } }
  const running = Promise.allSettled([
    follow(options, async () => {
      throw away()
    }),
    retryUntilDone({ ...options, isRetried: isAway }, async () => {
      throw away()
    }),
  ])
  await clock.advance(59_000)
  expect(lines).toEqual(['Lost it undefined', 'Lost it undefined'])
  await clock.advance(2_000)
  expect(lines.slice(2)).toEqual([expect.stringMatching(/^Lost it 6\d$/), expect.stringMatching(/^Lost it 6\d$/)])
  abort.abort()
  await running
  expect(clock.pending).toBe(0)
})
