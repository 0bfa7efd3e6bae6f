import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NsmError } from '../base/index.ts'
import { readVxlan } from './vxlan.ts'
import { readWireguard } from './wireguard/agreement.ts'

test('hostile parameters are read or refused, never worse', () => {
  const names = fc.constantFrom('src_ip', 'src_port', 'src_public_key', 'MTU', 'vni', 'aead', 'aeads', '__proto__')
  fc.assert(
    fc.property(fc.dictionary(names, fc.string()), (parameters) => {
      for (const read of [readWireguard, readVxlan]) {
        try {
          read(parameters)
        } catch (error) {
          expect(error).toBeInstanceOf(NsmError)
        }
      }
    }),
  )
})
