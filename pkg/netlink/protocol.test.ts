import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as protocol from './protocol.ts'

const header = readFileSync(new URL('../dataplane/native/protocol/protocol.h', import.meta.url), 'utf8')
const code = header.replace(/\/\/.*$/gm, '')

test.each([
  ['Message', protocol.messageType],
  ['Attribute', protocol.attributeType],
  ['PortKind', protocol.portKind],
  ['UnderlayKind', protocol.underlayKind],
  ['AeadKind', protocol.aeadKind],
  ['PayloadKind', protocol.payloadKind],
  ['SessionState', protocol.sessionState],
  ['Verdict', protocol.verdict],
  ['EventKind', protocol.eventKind],
])('protocol.ts has the numbers of enum %s of protocol.h', (name, ours) => {
  expect(ours).toEqual(readEnum(name))
})

test('protocol.ts covers every enum of protocol.h', () => {
  expect(code.match(/^enum \w+/gm)).toHaveLength(9)
})

test.each([
  ['kVersion', protocol.PROTOCOL_VERSION],
  ['kPrefaceVersion', protocol.PREFACE_VERSION],
  ['kMaxMessageBytes', protocol.MAX_MESSAGE_BYTES],
  ['kMaxIdBytes', protocol.MAX_ID_BYTES],
  ['kCheckedGroup', protocol.CHECKED_GROUP],
])('protocol.ts has the limit %s of protocol.h', (name, ours) => {
  const product = new RegExp(`\\b${name} = ([\\d *]+);`).exec(code)?.[1]?.split('*')
  expect(product?.reduce((result, factor) => result * Number(factor), 1)).toBe(ours)
})

function readEnum(name: string): Record<string, number> {
  const body = new RegExp(`enum ${name} : [^{]+{([^}]*)};`).exec(code)?.[1] ?? ''
  const entries = body.matchAll(/\bk(\w)(\w*) = (0x[\da-f]+|\d+)/g)
  return Object.fromEntries(
    [...entries].map(([, first = '', rest, value]) => [first.toLowerCase() + rest, Number(value)]),
  )
}
