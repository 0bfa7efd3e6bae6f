import fc from 'fast-check'
import { expect, test } from 'vitest'
import { errorCode } from '../../base/index.ts'
import {
  addAddress,
  addRoute,
  addRule,
  addVeth,
  decodeMessages,
  deleteAddress,
  dumpLinks,
  encodeMessage,
  getLink,
  type Message,
  type RtnlRequest,
  readAddress,
  readLink,
  readNeighbour,
  readRoute,
  readRule,
  setLink,
  setNeighbour,
} from '../index.ts'

const index = fc.integer({ min: 1, max: 2 ** 31 - 1 })
const table = fc.integer({ min: 1, max: 2 ** 32 - 1 })
const ports = fc.option(
  fc
    .tuple(fc.integer({ min: 1, max: 65_535 }), fc.nat({ max: 100 }))
    .map(([first, more]) => ({ first, last: Math.min(first + more, 65_535) })),
  { nil: undefined },
)
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
/** A prefix whose address is zero exactly if its length is, because then the kernel omits both. */
const prefix = fc
  .constantFrom(4, 16)
  .chain((size) => fc.record({ prefixLength: fc.integer({ min: 1, max: 8 * size }), address: bytesOf(size) }))

function sent(request: RtnlRequest): Message {
  return decodeMessages(encodeMessage({ ...request, sequence: 1 }).bytes)[0]!
}

test('a link request reads as that link', () => {
  const read = readLink(sent(setLink({ index: 70_000 }, { alias: 'nsm:one', mtuBytes: 1420 })))
  expect(read).toMatchObject({ index: 70_000, alias: 'nsm:one', mtuBytes: 1420, isUp: true })
})

test('a veth pair is one message with a placeholder for the far namespace', () => {
  const near = { name: 'nsm-1', index: 70_001, mtuBytes: 1420 }
  const far = { namespace: 'inode://4/5', name: 'files', index: 70_002, mtuBytes: 1400 }
  const { bytes, fdPatches } = encodeMessage({ ...addVeth(near, far), sequence: 1 })
  const [message] = decodeMessages(bytes)
  expect(readLink(message!)).toMatchObject({ name: 'nsm-1', index: 70_001, mtuBytes: 1420, kind: 'veth', isUp: false })
  expect(fdPatches.map(({ namespace }) => namespace)).toEqual(['inode://4/5'])
  expect(encodeMessage({ ...addVeth(near, { ...far, namespace: undefined }), sequence: 1 }).fdPatches).toEqual([])
})

test('addresses, routes, rules and neighbours read as they were requested', () => {
  fc.assert(
    fc.property(
      index,
      table,
      prefix,
      ports,
      ports,
      fc.nat({ max: 255 }),
      (linkIndex, table, net, sourcePorts, destinationPorts, ipProtocol) => {
        const { address, prefixLength } = net
        expect(readAddress(sent(addAddress({ linkIndex, ...net })))).toMatchObject({ linkIndex, ...net })
        for (const gateway of [undefined, address]) {
          const route = { linkIndex, destination: address, prefixLength, gateway, table }
          expect(readRoute(sent(addRoute(route)))).toEqual(route)
        }
        const rule = { source: address, prefixLength, ipProtocol, sourcePorts, destinationPorts, table }
        expect(readRule(sent(addRule(rule)))).toEqual(rule)
        const neighbour = { linkIndex, ip: address, mac: Uint8Array.of(2, 0, 0, 0, 0, 1) }
        expect(readNeighbour(sent(setNeighbour(neighbour)))).toEqual(neighbour)
      },
    ),
  )
})

test.each([4, 16])('a default route and a rule for all sources read as zero addresses of %i bytes', (size) => {
  const any = new Uint8Array(size)
  const route = { linkIndex: 1, destination: any, prefixLength: 0, gateway: undefined, table: 1 }
  expect(readRoute(sent(addRoute(route)))).toEqual(route)
  const rule = {
    source: any,
    prefixLength: 0,
    ipProtocol: 0,
    sourcePorts: undefined,
    destinationPorts: undefined,
    table: 1,
  }
  expect(readRule(sent(addRule(rule)))).toEqual(rule)
})

test('routes, rules and neighbours that are not ours read as undefined', () => {
  const route = sent(
    addRoute({ linkIndex: 1, destination: new Uint8Array(4), prefixLength: 0, gateway: undefined, table: 1 }),
  )
  route.body[5] = 3 // RTPROT_BOOT
  expect(readRoute(route)).toBeUndefined()
  const learnt = sent(setNeighbour({ linkIndex: 1, ip: new Uint8Array(4), mac: new Uint8Array(6) }))
  learnt.body[8] = 2 // NUD_REACHABLE
  expect(readNeighbour(learnt)).toBeUndefined()
  expect(readRule({ type: 32, flags: 0, sequence: 1, body: new Uint8Array(12) })).toBeUndefined()
})

test('a link-local IPv6 address without an origin counts as assigned by the kernel', () => {
  const address = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
  const on = { linkIndex: 1, address, prefixLength: 64 }
  expect(readAddress(sent(deleteAddress(on)))).toMatchObject({ isFromKernel: true, isOurs: false })
  expect(readAddress(sent(addAddress(on)))).toMatchObject({ isFromKernel: false, isOurs: true })
})

test('every reader handles every truncation and arbitrary bytes', () => {
  const readers = [readLink, readAddress, readRoute, readRule, readNeighbour]
  const survives = (read: (message: Message) => unknown, body: Uint8Array) => {
    try {
      read({ type: 16, flags: 0, sequence: 1, body })
    } catch (error) {
      expect(errorCode(error)).toBe('invalid_argument')
    }
  }
  const whole = [
    sent(addVeth({ name: 'a', index: 1, mtuBytes: 1 }, { namespace: undefined, name: 'b', index: 2, mtuBytes: 1 })),
    sent(getLink({ name: 'nsm-1' })),
    sent(dumpLinks()),
    sent(
      addRule({
        source: Uint8Array.of(10, 0, 0, 0),
        prefixLength: 8,
        ipProtocol: 6,
        sourcePorts: { first: 1, last: 2 },
        destinationPorts: undefined,
        table: 1,
      }),
    ),
  ]
  for (const read of readers) {
    for (const { body } of whole)
      for (let length = 0; length <= body.length; length++) survives(read, body.slice(0, length))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (body) => {
        survives(read, body)
      }),
    )
  }
})
