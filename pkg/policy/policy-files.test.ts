import { describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { PolicyFiles, type Question } from './index.ts'

const DENY = 'rules: [{name: none, effect: deny, actions: [request]}]'
const ALLOW = 'rules: []'
const ASKED: Question = { action: 'request', caller: 'spiffe://east/node/n1', service: 'db', isAllowedByDefault: true }

function open(first: string, paths: readonly string[] = ['/etc/policy.yaml']) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const files = new Map(paths.map((path) => [path, first]))
  const errors: string[] = []
  const logger: Logger = { ...silentLogger, error: (_, fields) => void errors.push(String(fields?.['error'])) }
  const read = (path: string) => {
    const text = files.get(path)
    if (text === undefined) throw new Error(`Cannot read ${path}`)
    return text
  }
  const policy = new PolicyFiles({ paths, domain: 'east', read, clock, logger })
  let changes = 0
  policy.subscribe(() => {
    changes += 1
  })
  const running = policy.follow(stop.signal)
  const write = (text: string | undefined, path = '/etc/policy.yaml') =>
    text === undefined ? files.delete(path) : files.set(path, text)
  const passMs = async (ms: number) => {
    for (let left = ms; left > 0; left -= 200) await clock.advance(Math.min(left, 200))
  }
  const end = async () => {
    stop.abort()
    await running
    expect(clock.pending).toBe(0)
  }
  const isAllowed = () => policy.current().decide(ASKED).isAllowed
  return { policy, write, passMs, isAllowed, errors, end, changes: () => changes }
}

describe('PolicyFiles', () => {
  it('takes a change over within half a second, and says so once', async () => {
    const { write, passMs, isAllowed, changes, end } = open(ALLOW)
    expect(isAllowed()).toBe(true)
    write(DENY)
    await passMs(400)
    expect([isAllowed(), changes()]).toEqual([false, 1])
    await passMs(2_000)
    expect(changes()).toBe(1)
    await end()
  })

  it('keeps the policy before when the new one is broken or gone, and says why once', async () => {
    const { policy, write, passMs, isAllowed, errors, changes, end } = open(DENY)
    write('rules: [{nam: none}]')
    await passMs(2_000)
    expect([isAllowed(), changes()]).toEqual([false, 0])
    expect(policy.problem).toContain('/etc/policy.yaml:1:10: has an unknown key nam')
    write(undefined)
    await passMs(2_000)
    expect(isAllowed()).toBe(false)
    expect(policy.problem).toContain('Cannot read /etc/policy.yaml')
    expect(errors).toHaveLength(2)
    write(DENY)
    await passMs(400)
    expect([policy.problem, changes()]).toEqual(['', 0])
    write(ALLOW)
    await passMs(400)
    expect([policy.problem, isAllowed(), changes()]).toEqual(['', true, 1])
    await end()
  })

  it.each([
    ['the policy in force', DENY],
    ['nothing', undefined],
  ])('says again what is wrong with a file that was %s meanwhile', async (_, meanwhile) => {
    const { policy, write, passMs, end } = open(DENY)
    for (const text of ['rules: 5', meanwhile, 'rules: 5']) {
      write(text)
      await passMs(2_000)
    }
    expect(policy.problem).toContain('/etc/policy.yaml:1:8: must be a list')
    await end()
  })

  it('never takes a file half that is being written', async () => {
    const { write, passMs, isAllowed, end } = open(DENY)
    write(ALLOW)
    await passMs(200)
    write(DENY)
    await passMs(2_000)
    expect(isAllowed()).toBe(false)
    await end()
  })

  it('refuses to start with a broken policy', () => {
    expect(() => open('rules: 5')).toThrow('/etc/policy.yaml:1:8: must be a list')
  })

  it('without a file leaves everything to the default', async () => {
    const { isAllowed, passMs, end } = open('', [])
    await passMs(2_000)
    expect(isAllowed()).toBe(true)
    await end()
  })
})
