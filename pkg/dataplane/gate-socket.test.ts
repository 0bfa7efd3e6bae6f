import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { NsmError, silentLogger, systemClock } from '../base/index.ts'
import { decodeMessages, type GateCall, gateMessage, readAnswer } from '../netlink/index.ts'
import { GateSocket, type GateSocketOptions } from './gate-socket.ts'

const ADD: GateCall = { at: 'add', network: 'inode://4/7', uid: 'u', namespace: 'shop', name: 'web', sandbox: 's' }

async function gate(answer: GateSocketOptions['answer']) {
  const folder = mkdtempSync(join(tmpdir(), 'nsm-gate-'))
  const gate = new GateSocket({ answer, clock: systemClock, logger: silentLogger })
  const server = createServer((socket) => gate.accept(socket))
  await new Promise<void>((resolve) => server.listen(join(folder, 'sock'), resolve))
  onTestFinished(() => {
    gate.close()
    server.close()
    rmSync(folder, { recursive: true })
  })
  const open = () => connect(join(folder, 'sock'))
  /** What comes back before the end. */
  const say = async (...parts: readonly Uint8Array[]): Promise<string> => {
    const socket = open()
    const chunks: Uint8Array[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {})
    const ended = new Promise((resolve) => socket.once('close', resolve))
    for (const part of parts) {
      socket.write(part)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await ended
    const [message] = decodeMessages(Buffer.concat(chunks))
    return message === undefined ? 'nothing' : (readAnswer(message)?.text ?? 'something else')
  }
  return { say, open }
}

test('a call is answered, also one that comes in pieces', async () => {
  const calls: GateCall[] = []
  const { say } = await gate(async (call) => void calls.push(call))
  const bytes = gateMessage(ADD)
  expect(await say(bytes)).toBe('')
  expect(await say(bytes.subarray(0, 3), bytes.subarray(3, 40), bytes.subarray(40))).toBe('')
  expect(calls).toEqual([ADD, ADD])
})

test('a refusal is one line that fits into the events of a pod', async () => {
  const { say } = await gate(async () => {
    const cause = new NsmError('unavailable', `one\ntwo\u202e${'x'.repeat(2_000)}`)
    throw new NsmError('unavailable', 'Cannot start the pod: its wire is not up', { cause })
  })
  const text = await say(gateMessage(ADD))
  expect(text).toMatch(/^Cannot start the pod: its wire is not up: one\\u000atwo\\u202ex+$/)
  expect(text).toHaveLength(700)
})

test('what to do next is told, too', async () => {
  const { say } = await gate(() => Promise.reject(new NsmError('unavailable', 'Cannot', { next: 'wait' })))
  expect(await say(gateMessage(ADD))).toBe('Cannot; wait')
})

test.each([
  ['garbage', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
  ['half a call', gateMessage(ADD).subarray(0, 20)],
])('%s gets no answer, and the next one does', async (_, bytes) => {
  const { say } = await gate(async () => {})
  expect(await say(bytes)).toBe('nothing')
  expect(await say(gateMessage(ADD))).toBe('')
})

test('nobody is waited for who has gone', async () => {
  const gone = Promise.withResolvers<unknown>()
  const { open } = await gate((_call, signal) => {
    signal.addEventListener('abort', () => gone.resolve(signal.reason))
    return new Promise(() => {})
  })
  const socket = open()
  socket.write(gateMessage(ADD), () => socket.destroy())
  expect(await gone.promise).toMatchObject({ code: 'cancelled' })
})
