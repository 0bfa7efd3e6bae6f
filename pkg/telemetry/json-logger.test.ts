import { describe, expect, it } from 'vitest'
import { NsmError } from '../base/index.ts'
import { jsonLogger } from './json-logger.ts'

function recorded(level: 'debug' | 'info' = 'info') {
  const lines: string[] = []
  const logger = jsonLogger({ program: 'test', level, write: (line) => lines.push(line) })
  return { logger, lines, objects: () => lines.map((line) => JSON.parse(line)) }
}

describe('jsonLogger', () => {
  it('writes one JSON object per line, with level, program, message and fields', () => {
    const { logger, objects } = recorded()
    logger.with({ connection: 'c1' }).info('Established', { mtuBytes: 1440, size: 3n })
    expect(objects()).toMatchObject([
      { level: 'info', program: 'test', msg: 'Established', connection: 'c1', mtuBytes: 1440, size: '3' },
    ])
  })

  it('omits lines below its level', () => {
    const { logger, lines } = recorded('info')
    logger.debug('Detail')
    expect(lines).toEqual([])
  })

  it('masks fields whose names suggest a secret, at any depth', () => {
    const { logger, lines } = recorded()
    logger.info('Dialled', { privateKey: 'AAA', nested: { joinToken: 'BBB', fine: 1 }, raw: new Uint8Array(32) })
    expect(lines.join()).not.toMatch(/AAA|BBB/)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ privateKey: '[redacted]', nested: { fine: 1 }, raw: '32 bytes' })
  })

  it('keeps a hostile value on its own line', () => {
    const { logger, lines } = recorded()
    logger.warn('Refused', { networkService: 'a\n{"level":"error"}\u001b[31m\u009b2J\u202e' })
    expect(lines).toHaveLength(1)
    expect([...(lines[0]?.trimEnd() ?? '')].every((character) => character >= ' ')).toBe(true)
    expect(lines[0]).not.toMatch(/[\u0080-\u009f\u202e]/)
  })

  it('cuts long values', () => {
    const { logger, lines } = recorded()
    const long = 'x'.repeat(100_000)
    logger.warn('Refused', { long, error: new Error(long), nested: { long } })
    expect(lines.join().length).toBeLessThan(10_000)
    expect(lines.join()).toContain('... (100000 characters)')
  })

  it('describes errors with their fields and causes', () => {
    const { logger, objects } = recorded()
    const error = new NsmError('unavailable', 'Cannot reach the registry', { fields: { url: 'tcp://a:1' } })
    logger.error('Stopped', { error })
    expect(objects()[0]).toMatchObject({ error: 'Cannot reach the registry (url=tcp://a:1)' })
  })
})
