import { expect, test } from 'vitest'
import { readPing } from './ping-gap.ts'

const answer = (sequence: number, ms: number) =>
  `[${(1_700_000_000_000 + ms) / 1_000}] 64 bytes from 172.16.1.100: icmp_seq=${sequence} ttl=64 time=0.4 ms`

test('readPing finds the longest gap and what was lost in it', () => {
  const output = [
    'PING 172.16.1.100',
    answer(1, 0),
    answer(2, 10),
    'ping: sendmsg: Network is unreachable',
    answer(6, 250),
  ]
  expect(readPing(output.join('\n'), 6)).toEqual({ sent: 6, lost: 3, blackoutMs: expect.closeTo(230, 0) })
})

test('readPing says when nothing came back', () => {
  expect(readPing(answer(1, 0), 400).blackoutMs).toBe(Number.POSITIVE_INFINITY)
})
