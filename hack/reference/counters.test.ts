import { expect, test } from 'vitest'
import { countersReference, enumerators } from './counters.ts'

const SOURCE = `
enum class Rx : std::uint8_t {
  packets,    // all that was accepted
  malformed,  // invalid header
  count
};`

test('enumerators gives each counter with what its comment says', () => {
  expect(enumerators(SOURCE, 'Rx')).toEqual([
    { name: 'packets', about: 'all that was accepted' },
    { name: 'malformed', about: 'invalid header' },
  ])
})

test('enumerators refuses a counter that says nothing of itself', () => {
  expect(() => enumerators(SOURCE.replace('// invalid header', ''), 'Rx')).toThrow('the counter malformed of Rx')
})

test('countersReference names counters as nsmctl shows them', () => {
  const page = countersReference(new URL('../..', import.meta.url).pathname)
  for (const name of ['rx_replay', 'tx_gso_refused', 'handshake_bad_mac1', 'events_lost']) {
    expect(page).toContain(`| \`${name}\` |`)
  }
})
