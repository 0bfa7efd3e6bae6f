import { describe, expect, test } from 'vitest'
import { TestPolicies } from '../../policy/testing/index.ts'
import { callOf, endpoint, FakeExports, service } from '../testing/index.ts'
import { viewOf } from './caller-view.ts'

const exports = new FakeExports()
exports.set('east', 'db', 'files')

function view(caller: string) {
  const policy = new TestPolicies()
  return { policy, seen: viewOf(callOf(caller), { domain: 'west', exports, policy }) }
}

describe('what a caller may see with a policy', () => {
  const both = endpoint('nse', { networkServiceNames: ['files', 'db'] })

  test.each(['spiffe://west/node/n2', 'spiffe://east/registry'])(
    'is an endpoint with the services that %s may watch',
    (caller) => {
      const { policy, seen } = view(caller)
      expect(seen.endpoint(both)).toMatchObject({ networkServiceNames: ['files', 'db'] })
      policy.change("rules: [{name: db, effect: deny, actions: [watch], when: service == 'db'}]")
      expect(seen.endpoint(both)).toMatchObject({ networkServiceNames: ['files'] })
      expect([seen.service(service('db')), seen.service(service('files'))?.name]).toEqual([undefined, 'files'])
      policy.change("rules: [{name: nse, effect: deny, actions: [watch], when: endpoint == 'nse'}]")
      expect(seen.endpoint(both)).toBeUndefined()
    },
  )

  test('is looked for in another domain only among what it may see', () => {
    const { policy, seen } = view('spiffe://east/registry')
    policy.change("rules: [{name: db, effect: deny, actions: [watch], when: service == 'db'}]")
    expect(seen.services()).toEqual(new Set(['files']))
  })

  test('changes with the policy', () => {
    const { policy, seen } = view('spiffe://west/node/n2')
    const { signal, done } = seen.untilChange(new AbortController().signal)
    policy.change('rules: []')
    expect(signal.aborted).toBe(true)
    done()
  })
})
