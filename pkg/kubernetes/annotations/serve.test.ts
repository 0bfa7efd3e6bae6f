import { expect, test } from 'vitest'
import { parseServe } from './serve.ts'

test('parseServe reads services, prefix, payload and labels', () => {
  expect(parseServe('db, files?prefix=172.16.1.0/24,172.16.2.0/24&payload=ETHERNET&version=v2')).toEqual({
    services: ['db', 'files'],
    prefix: '172.16.1.0/24,172.16.2.0/24',
    payload: 'ETHERNET',
    labels: { version: 'v2' },
  })
})

test('parseServe gives replicas the same prefix, and other services another one', () => {
  const [db, again, files] = [parseServe('db'), parseServe('db?version=v2'), parseServe('files')]
  expect(db).toEqual({ services: ['db'], prefix: expect.any(String), payload: 'IP', labels: {} })
  expect(db.prefix).toMatch(/^198\.1[89]\.\d+\.0\/24$/)
  expect(again.prefix).toBe(db.prefix)
  expect(files.prefix).not.toBe(db.prefix)
})

test.each([
  ['db,', 'a service must be a name'],
  ['kernel://db', 'a service must be a name'],
  ['db@east', 'a pod serves in its own domain only'],
  ['db,db', 'a service is named twice'],
  [Array.from({ length: 17 }, (_, at) => `s${at}`).join(','), 'it has 17 services, and a pod may serve 16'],
  ['db?prefix=172.16.1', 'the prefix is none'],
  ['db?payload=ATM', 'the payload must be IP or ETHERNET'],
  ['db?app=a&app=b', 'an option is there twice'],
  ['db?app=%1b', 'an option has characters that nobody sees'],
  [`db?app=${'a'.repeat(5000)}`, 'it is longer than 4096 characters'],
])('parseServe of %j says %s', (text, why) => {
  expect(() => parseServe(text)).toThrow(`Cannot use the annotation networkservicemesh.io/serve: ${why}`)
})
