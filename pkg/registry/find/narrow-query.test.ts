import { expect, test } from 'vitest'
import { withoutPolicy } from '../../policy/index.ts'
import { callOf, FakeExports } from '../testing/index.ts'
import { viewOf } from './caller-view.ts'
import { narrowEndpointQuery, narrowServiceQuery } from './narrow-query.ts'

const exports = new FakeExports()
exports.set('east', 'db', 'files')
const options = { domain: 'west', exports, policy: withoutPolicy }
const foreign = viewOf(callOf('spiffe://east/node/n1'), options)
const stranger = viewOf(callOf('spiffe://north/node/n1'), options)
const own = viewOf(callOf('spiffe://west/node/n1'), options)

test.each([
  ['everything', {}, [{ networkServiceNames: ['db'] }, { networkServiceNames: ['files'] }]],
  [
    'a URL',
    { url: 'x' },
    [
      { url: 'x', networkServiceNames: ['db'] },
      { url: 'x', networkServiceNames: ['files'] },
    ],
  ],
  ['an exported service', { networkServiceNames: ['db'] }, [{ networkServiceNames: ['db'] }]],
  ['a hidden service', { networkServiceNames: ['private'] }, []],
  ['a hidden service beside an exported one', { networkServiceNames: ['db', 'private'] }, []],
  ['one endpoint', { name: 'nse-1' }, [{ name: 'nse-1' }]],
])('another domain that asks the endpoints for %s reads what is exported', (_, query, expected) => {
  expect(narrowEndpointQuery(query, foreign)).toEqual(expected)
  expect(narrowEndpointQuery(query, own)).toEqual([query])
})

test.each([
  ['everything', {}, [{ name: 'db' }, { name: 'files' }]],
  [
    'a payload',
    { payload: 'IP' },
    [
      { payload: 'IP', name: 'db' },
      { payload: 'IP', name: 'files' },
    ],
  ],
  ['an exported service', { name: 'db' }, [{ name: 'db' }]],
  ['a hidden service', { name: 'private' }, []],
])('another domain that asks the services for %s reads what is exported', (_, query, expected) => {
  expect(narrowServiceQuery(query, foreign)).toEqual(expected)
  expect(narrowServiceQuery(query, own)).toEqual([query])
})

test('a domain to which nothing is exported reads nothing', () => {
  expect(narrowEndpointQuery({}, stranger)).toEqual([])
  expect(narrowServiceQuery({}, stranger)).toEqual([])
})
