import { describe, expect, it } from 'vitest'
import { NsmError } from './errors.ts'
import { limitedLogger } from './limited-logger.ts'
import type { LogFields, Logger } from './logger.ts'
import { FakeClock } from './testing/index.ts'

const MINUTE_MS = 60_000

function recorded(options: { readonly by?: readonly string[]; readonly burst?: number } = {}) {
  const clock = new FakeClock()
  const lines: string[] = []
  const sink = (context: LogFields): Logger => {
    const at =
      (level: string) =>
      (message: string, fields: LogFields = {}) =>
        void lines.push([level, message, ...Object.entries({ ...context, ...fields }).map(String)].join(' '))
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (fields) => sink({ ...context, ...fields }),
    }
  }
  return { clock, lines, logger: limitedLogger(sink({}), { clock, ...options }) }
}

describe('limitedLogger', () => {
  it('writes the first line of a kind at once, and then the last one with a count each minute', async () => {
    const { clock, lines, logger } = recorded()
    for (let caller = 0; caller < 1000; caller++) logger.warn('Call refused', { caller })
    expect(lines).toEqual(['warn Call refused caller,0'])
    await clock.advance(MINUTE_MS)
    expect(lines.splice(0)).toEqual(['warn Call refused caller,0', 'warn Call refused caller,999 repeated,999'])
    logger.warn('Call refused', { caller: 5 })
    logger.warn('Call refused', { caller: 6 })
    expect(lines).toEqual([])
    await clock.advance(MINUTE_MS)
    expect(lines).toEqual(['warn Call refused caller,6 repeated,2'])
  })

  it('writes at once again after a minute without a line of the kind, and leaves no timer', async () => {
    const { clock, lines, logger } = recorded()
    logger.warn('Call refused')
    await clock.advance(MINUTE_MS)
    expect(clock.pending).toBe(0)
    logger.warn('Call refused')
    expect(lines).toEqual(['warn Call refused', 'warn Call refused'])
  })

  it('tells kinds apart by level, message, code of the error, and the named fields', () => {
    const { lines, logger } = recorded({ by: ['method'] })
    for (let i = 0; i < 2; i++) {
      logger.warn('Call refused', { method: 'a', error: new NsmError('permission_denied', `No ${i}`) })
      logger.warn('Call refused', { method: 'a', error: new NsmError('unauthenticated', `No ${i}`) })
      logger.warn('Call refused', { method: 'b', error: new NsmError('unauthenticated', `No ${i}`) })
      logger.with({ method: 'c' }).warn('Call refused')
      logger.error('Call refused', { method: 'a' })
    }
    expect(lines).toHaveLength(5)
  })

  it('writes a bounded number of lines whatever others choose', async () => {
    const { clock, lines, logger } = recorded({ by: ['name'] })
    for (let i = 0; i < 10_000; i++) logger.warn('Dropped a record', { name: `name-${i}` })
    expect(lines.length).toBeLessThanOrEqual(101)
    await clock.advance(MINUTE_MS)
    expect(lines.length).toBeLessThanOrEqual(102)
    expect(lines.at(-1)).toMatch(/repeated,9899$/)
  })

  it('writes a burst of a kind before it only counts', async () => {
    const { clock, lines, logger } = recorded({ burst: 3 })
    for (let i = 0; i < 10; i++) logger.info('Connection opened', { i })
    expect(lines).toHaveLength(3)
    await clock.advance(MINUTE_MS)
    expect(lines.at(-1)).toBe('info Connection opened i,9 repeated,7')
  })

  it('writes what it has counted when it closes, and what comes later without a limit', () => {
    const { clock, lines, logger } = recorded()
    for (let i = 0; i < 3; i++) logger.info('Ended', { i })
    logger.close()
    logger.info('Ended', { i: 3 })
    logger.info('Ended', { i: 4 })
    expect(lines).toEqual(['info Ended i,0', 'info Ended i,2 repeated,2', 'info Ended i,3', 'info Ended i,4'])
    expect(clock.pending).toBe(0)
  })
})
