import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { errorCode, silentLogger, systemClock } from '../base/index.ts'
import {
  Attributes,
  attribute,
  attributeType,
  encodeMessage,
  eventKind,
  type Message,
  messageType,
  type OutgoingMessage,
  takeMessages,
} from '../netlink/index.ts'
import { ControlClient, type DataplaneEvent, HolderDataplane, HolderRtnl } from './index.ts'

const signal = AbortSignal.timeout(15_000)
const directory = mkdtempSync(join(tmpdir(), 'nsm-control-'))
const path = join(directory, 'control.sock')

/** Plays the holder: answers what `answer` returns, then acknowledges; undefined leaves the request unanswered. */
class FakeHolder {
  readonly received: Message[] = []
  readonly sockets = new Set<Socket>()
  answer: (message: Message) => readonly Omit<OutgoingMessage, 'sequence'>[] | undefined = () => []
  #server: Server | undefined

  async start(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(path, resolve))
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.#server?.close(resolve))
  }

  send(bytes: Uint8Array): void {
    for (const socket of this.sockets) socket.write(bytes)
  }

  #serve(socket: Socket): void {
    let rest: Uint8Array = new Uint8Array()
    this.sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.sockets.delete(socket))
    socket.on('data', (chunk) => {
      const taken = takeMessages(Buffer.concat([rest, chunk]), { maxBytes: 65_536 })
      rest = taken.rest
      for (const message of taken.messages) this.#reply(socket, message)
    })
  }

  #reply(socket: Socket, message: Message): void {
    this.received.push(message)
    const replies = this.answer(message)
    if (replies === undefined) return
    for (const reply of replies) socket.write(encodeMessage({ ...reply, sequence: message.sequence }).bytes)
    if (!replies.some(({ type }) => type === 2)) socket.write(acknowledgement(0, message.sequence))
  }
}

function acknowledgement(errno: number, sequence: number): Uint8Array {
  return encodeMessage({ ...refusal(errno), sequence }).bytes
}

function refusal(errno: number, text = ''): Omit<OutgoingMessage, 'sequence'> {
  const fixed = new Uint8Array(20)
  new DataView(fixed.buffer).setInt32(0, -errno, true)
  return { type: 2, flags: 0x300, fixed, attributes: [attribute.text(1, text)] }
}

function event(kind: number, ...attributes: OutgoingMessage['attributes']): Uint8Array {
  const all = [attribute.u8(attributeType.eventKind, kind), ...attributes]
  return encodeMessage({ type: messageType.event, flags: 0, sequence: 0, attributes: all }).bytes
}

afterAll(() => rmSync(directory, { recursive: true }))

let holder: FakeHolder
let client: ControlClient
let dataplane: HolderDataplane
let rtnl: HolderRtnl

beforeEach(async () => {
  holder = new FakeHolder()
  await holder.start()
  client = new ControlClient({ path, clock: systemClock, logger: silentLogger, requestMs: 2000 })
  dataplane = new HolderDataplane(client, silentLogger)
  rtnl = new HolderRtnl(client, silentLogger)
  await client.ready(signal)
})

afterEach(async () => {
  await client.close()
  await expect.poll(() => holder.sockets.size).toBe(0)
  await holder.stop()
  rmSync(path, { force: true })
})

test('ControlClient greets before anything else', () => {
  const [hello] = holder.received
  expect(hello?.type).toBe(messageType.hello)
  expect(new Attributes(hello!.body).u32(attributeType.versionAttr)).toBe(1)
})

test('requests under way side by side get their own answers', async () => {
  holder.answer = ({ type }) =>
    type === messageType.nsGet
      ? [
          {
            type,
            flags: 0,
            attributes: [
              attribute.text(attributeType.id, 'wire'),
              attribute.u64(attributeType.nsDev, 4n),
              attribute.u64(attributeType.nsIno, 5n),
            ],
          },
        ]
      : []
  const [pins, crossConnects] = await Promise.all([rtnl.pins(signal), dataplane.crossConnects(signal)])
  expect(pins).toEqual(new Map([['wire', 'inode://4/5']]))
  expect(crossConnects).toEqual(new Map())
})

test('a refusal carries the holder’s errno and sentence', async () => {
  holder.answer = () => [refusal(17, 'interface nsm-1 exists in this namespace')]
  const attempt = dataplane.setPort(
    { id: 'one:c', kind: 'tun', namespace: 'inode://4/5', interfaceName: 'nsm-1' },
    signal,
  )
  await expect(attempt).rejects.toMatchObject({
    code: 'already_exists',
    message: 'Cannot set the port: the request was refused',
    fields: { port: 'one:c', errno: 'EEXIST', reason: 'interface nsm-1 exists in this namespace' },
  })
})

test('to remove what the dataplane does not have is success', async () => {
  holder.answer = () => [refusal(2)]
  await dataplane.removeCrossConnect('one', signal)
  await dataplane.removePort('one:c', signal)
})

test('a request ends with its signal, and its late answer meets nobody', async () => {
  holder.answer = () => undefined
  const attempt = dataplane.crossConnects(AbortSignal.timeout(20))
  expect(await attempt.catch(errorCode)).toBe('deadline_exceeded')
  const late = holder.received.at(-1)!
  holder.send(acknowledgement(0, late.sequence))
  holder.answer = () => []
  expect(await dataplane.crossConnects(signal)).toEqual(new Map())
})

test('a signal that is aborted already sends nothing', async () => {
  const before = holder.received.length
  const attempt = dataplane.crossConnects(AbortSignal.abort(new DOMException('gone', 'AbortError')))
  expect(await attempt.catch(errorCode)).toBe('cancelled')
  expect(holder.received).toHaveLength(before)
})

test('while the holder is away requests fail with unavailable; then the line comes back by itself', async () => {
  const states: string[] = []
  dataplane.subscribe(({ at }) => states.push(at))
  holder.answer = () => undefined
  const underWay = dataplane.crossConnects(signal).catch(errorCode)
  await new Promise(setImmediate)
  await holder.stop()
  expect(await underWay).toBe('unavailable')
  expect(await dataplane.crossConnects(signal).catch(errorCode)).toBe('unavailable')
  holder.answer = () => []
  await holder.start()
  await expect.poll(() => states.length, { timeout: 5000 }).toBe(2)
  expect(await dataplane.crossConnects(signal)).toEqual(new Map())
  expect(states).toEqual(['disconnected', 'connected'])
})

test('a holder of another release is reported once per try, and not greeted as ours', async () => {
  const errors: unknown[] = []
  const logger = { ...silentLogger, error: (_message: string, fields?: object) => errors.push(fields) }
  holder.answer = () => [refusal(93, 'this nsm-dataplane speaks version 2 of its protocol')]
  const other = new ControlClient({ path, clock: systemClock, logger })
  await expect.poll(() => errors.length).toBeGreaterThan(0)
  expect(String(Object.values(errors[0] as object))).toContain('speaks version 2')
  expect(await other.request(other.hello(), signal).catch(errorCode)).toBe('unavailable')
  await other.close()
})

test('watches are renewed on a new connection, and what was missed is a change', async () => {
  await rtnl.watch({ namespace: 'inode://4/5', groups: 3 }, signal)
  await rtnl.watch({ namespace: 'inode://4/5', groups: 3 }, signal)
  const watches = () => holder.received.filter(({ type }) => type === messageType.rtnlWatch)
  expect(watches()).toHaveLength(1)
  const changed = new Promise((resolve) => rtnl.onChange((...heard) => resolve(heard)))
  for (const socket of holder.sockets) socket.destroy()
  expect(await changed).toEqual(['inode://4/5', undefined])
  expect(watches()).toHaveLength(2)
  expect(new Attributes(watches()[1]!.body).u32(attributeType.groups)).toBe(3)
})

test('bytes that are no messages end the connection, and the next one works', async () => {
  const reconnected = new Promise<void>((resolve) => client.onState(({ at }) => at === 'connected' && resolve()))
  holder.send(new Uint8Array(64).fill(0xff))
  await reconnected
  expect(await dataplane.crossConnects(signal)).toEqual(new Map())
})

test('answers may come in any pieces', async () => {
  holder.answer = () => undefined
  const attempt = dataplane.crossConnects(signal)
  await expect.poll(() => holder.received.length).toBe(2)
  const { text } = attribute
  const { sequence } = holder.received[1]!
  const wire = [text(attributeType.id, 'one'), text(attributeType.portA, 'one:c'), text(attributeType.portB, 'one:s')]
  const reply = encodeMessage({ type: messageType.crossConnectGet, flags: 0, sequence, attributes: wire }).bytes
  for (const byte of Buffer.concat([reply, acknowledgement(0, sequence)])) {
    holder.send(Uint8Array.of(byte))
    await new Promise(setImmediate)
  }
  expect(await attempt).toEqual(new Map([['one', { id: 'one', ports: ['one:c', 'one:s'] }]]))
})

test('events come out as what they are; unknown and malformed ones are dropped', async () => {
  const events: DataplaneEvent[] = []
  dataplane.subscribe((seen) => events.push(seen))
  const { u32, u64, u16, text, bytes } = attribute
  holder.send(event(200))
  holder.send(event(eventKind.sessionUp))
  holder.send(event(eventKind.engineDied, u32(attributeType.enginePid, 7), text(attributeType.text, 'signal 9')))
  holder.send(event(eventKind.engineStarted, u32(attributeType.enginePid, 8), u32(attributeType.engineRestarts, 1)))
  holder.send(event(eventKind.sessionUp, text(attributeType.id, 'one:s')))
  holder.send(event(eventKind.sessionDown, text(attributeType.id, 'one:s'), text(attributeType.text, 'silent')))
  holder.send(event(eventKind.clientGone, u64(attributeType.connection, 9n)))
  const moved = [
    text(attributeType.id, 'one:s'),
    bytes(attributeType.peerAddress, Uint8Array.of(192, 0, 2, 1)),
    u16(attributeType.peerPort, 51_820),
  ]
  holder.send(event(eventKind.peerMoved, ...moved))
  const [, ...peer] = moved
  holder.send(event(eventKind.linkQualityDown, ...peer, text(attributeType.text, 'no answer')))
  holder.send(event(eventKind.linkQualityUp, ...peer))
  holder.send(event(eventKind.pathMtuChanged, ...peer, u32(attributeType.mtuBytes, 1240)))
  await expect.poll(() => events.length).toBe(9)
  expect(events).toEqual([
    { at: 'engine-died', pid: 7, reason: 'signal 9' },
    { at: 'engine-started', pid: 8, restarts: 1 },
    { at: 'session-up', port: 'one:s' },
    { at: 'session-down', port: 'one:s', reason: 'silent' },
    { at: 'client-gone', connectionId: 9n },
    { at: 'peer-moved', port: 'one:s', peer: { ip: '192.0.2.1', port: 51_820 } },
    { at: 'link-quality-down', peer: { ip: '192.0.2.1', port: 51_820 }, reason: 'no answer' },
    { at: 'link-quality-up', peer: { ip: '192.0.2.1', port: 51_820 } },
    { at: 'path-mtu-changed', peer: { ip: '192.0.2.1', port: 51_820 }, mtuBytes: 1240 },
  ])
})

test('an id that the protocol does not allow is refused before it is sent', async () => {
  for (const id of ['', 'a b', 'x'.repeat(65), 'ä']) {
    await expect(dataplane.removePort(id, signal)).rejects.toMatchObject({ code: 'invalid_argument' })
  }
})
