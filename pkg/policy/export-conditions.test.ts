import { describe, expect, it } from 'vitest'
import {
  checkExportCondition,
  compileExportConditions,
  eitherCondition,
  forClients,
  isAdmitted,
  type Question,
} from './index.ts'

const WEB = 'spiffe://west/ns/shop/sa/web'
const asked = (client: string, service = 'db'): Question => ({
  action: 'request',
  caller: 'spiffe://west/node/n1',
  client,
  service,
  isAllowedByDefault: true,
})
const conditions = (when: string) => new Map([['west', compileExportConditions([['db', when]])]])

describe('the condition of an export', () => {
  it.each([
    [forClients([WEB]), WEB, true],
    [forClients([WEB]), `${WEB}2`, false],
    [forClients([WEB]), 'spiffe://west/node/n1', false],
    [forClients([]), WEB, false],
    ["client.ns == 'shop'", WEB, true],
    [eitherCondition("client.ns == 'x'", "client.sa == 'web'"), WEB, true],
    ["claimed.labels.team == 'a'", WEB, false],
    ['this is no condition', WEB, false],
  ])('%s admits %s: %s', (when, client, expected) => {
    expect(isAdmitted(conditions(when), asked(client), 'east')).toBe(expected)
  })

  it('says nothing about other services and other domains', () => {
    const known = conditions('false')
    expect(isAdmitted(known, asked(WEB, 'files'), 'east')).toBe(true)
    expect(isAdmitted(known, { ...asked(WEB), caller: 'spiffe://north/node/n1' }, 'east')).toBe(true)
  })

  it('quotes what it is given as text', () => {
    const evil = 'spiffe://west/a"] || true || client.id in ["'
    expect(isAdmitted(conditions(forClients([evil])), asked(WEB), 'east')).toBe(false)
  })

  it.each([
    ['client.nobody == 1', 'there is no field nobody'],
    [`client.id == '${'a'.repeat(1_100)}'`, 'longer than 1024 characters'],
    ['claimed.labels.all(a, claimed.labels.all(b, claimed.labels.all(c, a != b)))', 'steps; at most'],
  ])('is refused: %s', (when, message) => {
    expect(() => checkExportCondition(when)).toThrow(message)
  })
})
