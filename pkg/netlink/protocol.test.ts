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
  ['LinkVerdict', protocol.pathState],
  ['EventKind', protocol.eventKind],
])('protocol.ts has the numbers of enum %s of protocol.h', (name, ours) => {
  expect(withHeaderNames(ours)).toEqual(readEnum(name))
})

test('protocol.ts covers every enum of protocol.h', () => {
  expect(code.match(/^enum \w+/gm)).toHaveLength(9)
})

test.each([
  ['kVersion', protocol.PROTOCOL_VERSION],
  ['kMaxMessageBytes', protocol.MAX_MESSAGE_BYTES],
  ['kMaxIdBytes', protocol.MAX_ID_BYTES],
])('protocol.ts has the limit %s of protocol.h', (name, ours) => {
  const product = new RegExp(`\\b${name} = ([\\d *]+);`).exec(code)?.[1]?.split('*')
  expect(product?.reduce((result, factor) => result * Number(factor), 1)).toBe(ours)
})

/** protocol.h's names for numbers that protocol.ts still calls otherwise; absent: it has no such number any more. */
const HEADER_NAMES: Record<string, string | undefined> = {
  wireSet: 'crossConnectSet',
  wireDel: 'crossConnectDel',
  wireGet: 'crossConnectGet',
  pathGet: 'linkQualityGet',
  sendOnly: undefined,
  pathMessages: 'probeMessages',
  pathState: 'linkVerdict',
  pathRttUs: 'rttUs',
  pathJitterUs: 'jitterUs',
  pathLossPpm: 'lossPpm',
  pathProbes: 'probesSent',
  pathLost: 'probesLost',
  pathUnknown: 'verdictUnknown',
  pathAlive: 'verdictUp',
  pathDead: 'verdictDown',
  pathDown: 'linkQualityDown',
  pathUp: 'linkQualityUp',
}

function withHeaderNames(ours: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(ours).flatMap(([name, number]) => {
      const headerName = name in HEADER_NAMES ? HEADER_NAMES[name] : name
      return headerName === undefined ? [] : [[headerName, number] as const]
    }),
  )
}

function readEnum(name: string): Record<string, number> {
  const body = new RegExp(`enum ${name} : [^{]+{([^}]*)};`).exec(code)?.[1] ?? ''
  const entries = body.matchAll(/\bk(\w)(\w*) = (0x[\da-f]+|\d+)/g)
  return Object.fromEntries(
    [...entries].map(([, first = '', rest, value]) => [first.toLowerCase() + rest, Number(value)]),
  )
}
