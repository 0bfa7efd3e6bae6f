import { describe, expect, it } from 'vitest'
import { registryConfig } from './index.ts'

const required = { NSM_DOMAIN: 'west', NSM_LISTEN_ON: 'tcp://0.0.0.0:5002' }

describe('nsm-registry’s configuration', () => {
  it.each([['registry.west.test:5002'], ['203.0.113.1:5002'], ['[2001:db8::1]:5002']])('tells %s', (address) => {
    expect(registryConfig.read({ ...required, NSM_ADVERTISE: address }).advertise).toEqual([address])
  })

  it.each(['0.0.0.0:5002', '[::]:5002', '[::ffff:0.0.0.0]:5002', '203.0.113.1:5002,0.0.0.0:5002'])(
    'never tells %s',
    (address) => {
      expect(() => registryConfig.read({ ...required, NSM_ADVERTISE: address })).toThrow(/every address of the machine/)
    },
  )

  it.each(['0:5002', '0x0:5002', '1.2.3:5002'])('takes %s for no host', (address) => {
    expect(() => registryConfig.read({ ...required, NSM_ADVERTISE: address })).toThrow(/must be host:port/)
  })
})
