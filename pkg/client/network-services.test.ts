import { expect, test } from 'vitest'
import { parseNetworkServices } from './network-services.ts'

test.each([
  ['', 'contains no URL'],
  ['kernel://a/nsm-1,kernel://b/nsm-1', 'two network services have the same interface'],
])('parseNetworkServices of %j says %s', (text, why) => {
  expect(() => parseNetworkServices(text)).toThrow(why)
  expect(parseNetworkServices('kernel://a,kernel://b')).toHaveLength(2)
})
