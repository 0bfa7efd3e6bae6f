import { describe, expect, test } from 'vitest'
import { run, tryRun } from './shell.ts'

describe('tryRun', () => {
  test('gives what the program printed and how it ended', async () => {
    const script = 'read line; echo "$line"; echo oh >&2; exit 3'
    expect(await tryRun(['sh', '-c', script], { input: 'hello\n' })).toEqual({
      code: 3,
      stdout: 'hello\n',
      stderr: 'oh\n',
    })
  })

  test('ends a program that takes too long, even one that does not listen', async () => {
    const startMs = performance.now()
    const deaf = ['sh', '-c', 'trap "" TERM; echo here; while :; do sleep 10; done']
    expect(await tryRun(deaf, { timeoutMs: 100 })).toEqual({
      code: 124,
      stdout: 'here\n',
      stderr: 'it took longer than 0.1 s',
    })
    expect(performance.now() - startMs).toBeLessThan(5_000)
  })

  test('says why a program could not be started', async () => {
    expect(await tryRun(['/nowhere/program'])).toMatchObject({ code: 255, stderr: expect.stringContaining('ENOENT') })
  })
})

test('run throws with the command and what it said', async () => {
  await expect(run(['sh', '-c', 'echo no >&2; exit 1'])).rejects.toThrow('sh -c echo no >&2; exit 1: exit status 1\nno')
})
