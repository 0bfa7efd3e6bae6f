import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NsmError } from '../base/index.ts'
import { parseNsmUrl, parseNsmUrls } from './nsm-url.ts'

test('parseNsmUrl reads mechanism, service, domain, interface and labels', () => {
  expect(parseNsmUrl(' kernel://my-service@other.domain/nsm-1?app=web&zone=a&zone=b ')).toEqual({
    mechanismType: 'KERNEL',
    service: 'my-service@other.domain',
    interfaceName: 'nsm-1',
    labels: { app: 'web', zone: 'a,b' },
    defaultRoutes: [],
  })
  expect(parseNsmUrl('KERNEL://svc')).toEqual({
    mechanismType: 'KERNEL',
    service: 'svc',
    interfaceName: '',
    labels: {},
    defaultRoutes: [],
  })
})

test.each([
  ['ipv4', ['0.0.0.0/1', '128.0.0.0/1']],
  ['ipv6', ['::/1', '8000::/1']],
  ['ipv4,ipv6', ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1']],
  ['ipv4&default-route=ipv6', ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1']],
])('parseNsmUrl asks for a default route in halves, and not as a label: %s', (families, defaultRoutes) => {
  expect(parseNsmUrl(`kernel://vpn/nsm-1?default-route=${families}&app=web`)).toMatchObject({
    labels: { app: 'web' },
    defaultRoutes,
  })
})

test.each(['', 'true', 'ipv5', 'ipv4,', 'ipv4 ipv6'])('parseNsmUrl refuses the default route %j', (families) => {
  expect(() => parseNsmUrl(`kernel://vpn/nsm-1?default-route=${families}`)).toThrow('default-route must be ipv4, ipv6')
})

test('parseNsmUrls keeps a comma within a label', () => {
  expect(parseNsmUrls('kernel://a/n1?x=1,2, kernel://b/n2').map((url) => [url.service, url.labels])).toEqual([
    ['a', { x: '1,2' }],
    ['b', {}],
  ])
  expect(parseNsmUrls('')).toEqual([])
})

test.each([
  ['files@east/nsm-1', 'must look like'],
  ['kernel:/files', 'must look like'],
  ['kernel://', 'must look like'],
  ['memif://files/nsm-1', 'mechanism memif is not supported'],
  ['kernel://fi les/nsm-1', 'service must be a name'],
  ['kernel://files%00/nsm-1', 'service must be a name'],
  ['kernel://a@b@c/nsm-1', 'service must be a name'],
  [`kernel://${'s'.repeat(300)}/nsm-1`, 'service must be a name'],
  ['kernel://files/fifteen-letters', undefined],
  ['kernel://files/sixteen-letters-x', 'longer than 15 bytes'],
  ['kernel://files/lo', 'reserved'],
  ['kernel://files/..', 'reserved'],
  ['kernel://files/nsm\n1', 'control character'],
])('parseNsmUrl of %j says %s', (url, why) => {
  if (why === undefined) expect(parseNsmUrl(url).interfaceName).toHaveLength(15)
  else expect(() => parseNsmUrl(url)).toThrow(why)
})

test('parseNsmUrl either reads or refuses any text', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.string().map((tail) => `kernel://${tail}`),
      ),
      (text) => {
        try {
          expect(parseNsmUrl(text).service).not.toBe('')
        } catch (error) {
          expect(error).toBeInstanceOf(NsmError)
        }
      },
    ),
  )
})
