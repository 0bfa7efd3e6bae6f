import { expect, test } from 'vitest'
import { CallerIds } from './index.ts'

test('CallerIds forgets the former caller of a connection, however often the caller changes', () => {
  const callers = new CallerIds()
  for (let round = 0; round < 10_000; round += 1) callers.remember(`c${round % 10}`, `caller ${round}`)
  expect(callers.size).toBe(10)
  for (let at = 0; at < 10; at += 1) callers.forget(`c${at}`)
  expect(callers.size).toBe(0)
})

test('CallerIds keeps what another connection has taken over', () => {
  const callers = new CallerIds()
  callers.remember('old', 'caller')
  callers.remember('new', 'caller')
  callers.forget('old')
  expect(callers.size).toBe(1)
})
