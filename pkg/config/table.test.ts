import { describe, expect, it } from 'vitest'
import { integer, list, name, url } from './parsers.ts'
import { defineConfig, optional, required, withDefault } from './table.ts'

const config = defineConfig('example: shows a table.', {
  name: required('NSM_NAME', 'name of the example', name),
  port: withDefault(required('NSM_PORT', 'where it listens', integer(1, 65_535)), '5001'),
  peers: optional('NSM_PEERS', 'who else is there', list(url('tcp'))),
})

describe('defineConfig', () => {
  it('reads values, defaults and absent options with their types', () => {
    expect(config.read({ NSM_NAME: 'n1', NSM_PEERS: 'tcp://10.0.0.1:5, tcp://[::1]:6' })).toEqual({
      name: 'n1',
      port: 5001,
      peers: ['tcp://10.0.0.1:5', 'tcp://[::1]:6'],
    })
    expect(config.read({ NSM_NAME: 'n1', NSM_PORT: '' })).toEqual({ name: 'n1', port: 5001, peers: undefined })
  })

  it('reports all mistakes at once, with variable, value and reason', () => {
    const read = () => config.read({ NSM_PORT: '70000', NSM_PEERS: 'tcp://a:1,http://b' })
    expect(read).toThrow(/NSM_NAME is not set \(name of the example\)/)
    expect(read).toThrow(/NSM_PORT="70000" must be a whole number from 1 to 65535/)
    expect(read).toThrow(/NSM_PEERS=.* has the entry "http:\/\/b", which must begin with tcp:\/\//)
  })

  it('renders help with every variable and its default', () => {
    expect(config.help).toBe(
      [
        'example: shows a table.',
        '',
        'Environment:',
        '  NSM_NAME   name of the example (required)',
        '  NSM_PORT   where it listens (default 5001)',
        '  NSM_PEERS  who else is there',
        '',
      ].join('\n'),
    )
  })
})
