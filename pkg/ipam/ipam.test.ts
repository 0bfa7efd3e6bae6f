import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { emptyIpContext, type IpContext } from '../api/index.ts'
import { type Lease, PointToPointIpam, parseGroups } from './index.ts'

const ipam = (text: string, leases: readonly Lease[] = []) => new PointToPointIpam(parseGroups(text), leases)
const context = (changes: Partial<IpContext> = {}): IpContext => ({ ...emptyIpContext, ...changes })
const addresses = ({ srcIpAddrs, dstIpAddrs }: IpContext) => ({ src: srcIpAddrs, dst: dstIpAddrs })

describe('PointToPointIpam', () => {
  test('leases .100 to the endpoint and .101 to the client from 172.16.1.100/31, with routes to each other', () => {
    expect(ipam('172.16.1.100/31').lease('a', context())).toEqual(
      context({
        dstIpAddrs: ['172.16.1.100/32'],
        srcIpAddrs: ['172.16.1.101/32'],
        srcRoutes: [{ prefix: '172.16.1.100/32', nextHop: '' }],
        dstRoutes: [{ prefix: '172.16.1.101/32', nextHop: '' }],
      }),
    )
  })

  test('leases one pair per group, from the first prefix with free addresses', () => {
    const both = ipam('[10.0.0.0/31,10.0.1.0/31],[fd00::/126]')
    expect(addresses(both.lease('a', context()))).toEqual({
      dst: ['10.0.0.0/32', 'fd00::/128'],
      src: ['10.0.0.1/32', 'fd00::1/128'],
    })
    expect(addresses(both.lease('b', context()))).toEqual({
      dst: ['10.0.1.0/32', 'fd00::2/128'],
      src: ['10.0.1.1/32', 'fd00::3/128'],
    })
  })

  test('renews a lease with the same addresses and keeps the routes of the request', () => {
    const pool = ipam('10.0.0.0/24')
    const first = pool.lease('a', context({ srcRoutes: [{ prefix: '192.0.2.0/24', nextHop: '' }] }))
    pool.lease('b', context())
    expect(pool.lease('a', first)).toEqual(first)
    expect(pool.lease('a', context())).toMatchObject({ srcIpAddrs: first.srcIpAddrs, dstIpAddrs: first.dstIpAddrs })
    expect(first.srcRoutes).toContainEqual({ prefix: '192.0.2.0/24', nextHop: '' })
  })

  test('leases the requested addresses to an unknown connection if they are free', () => {
    const before = ipam('10.0.0.0/24')
    before.lease('a', context())
    const held = before.lease('b', context())
    const after = ipam('10.0.0.0/24')
    expect(after.lease('b', held)).toEqual(held)
    expect(addresses(after.lease('a', held))).not.toEqual(addresses(held))
  })

  test('replaces the addresses and routes of a former endpoint', () => {
    const former = ipam('192.0.2.0/31').lease('a', context())
    expect(ipam('10.0.0.0/31').lease('a', former)).toEqual(ipam('10.0.0.0/31').lease('a', context()))
  })

  test('respects excluded prefixes, even if a lease has to change', () => {
    const pool = ipam('10.0.0.0/29')
    expect(addresses(pool.lease('a', context({ excludedPrefixes: ['10.0.0.0/31'] }))).dst).toEqual(['10.0.0.2/32'])
    const moved = pool.lease('a', context({ excludedPrefixes: ['10.0.0.0/30'] }))
    expect(addresses(moved)).toEqual({ dst: ['10.0.0.4/32'], src: ['10.0.0.5/32'] })
  })

  test('skips a huge excluded prefix without iterating over it', () => {
    const pool = ipam('fd00::/64')
    const { dst } = addresses(pool.lease('a', context({ excludedPrefixes: ['fd00::/65'] })))
    expect(dst).toEqual(['fd00::8000:0:0:0/128'])
  })

  test('refuses when no address is left, without a change, and recovers after a release', () => {
    const pool = ipam('[10.0.0.0/29],[10.1.0.0/31]')
    const first = pool.lease('a', context())
    const leases = pool.leases()
    expect(() => pool.lease('b', context())).toThrow(expect.objectContaining({ code: 'resource_exhausted' }))
    expect(() => pool.lease('a', context({ excludedPrefixes: ['10.1.0.0/31'] }))).toThrow('Cannot lease addresses')
    expect(pool.leases()).toEqual(leases)
    expect(pool.lease('a', context())).toEqual(first)
    pool.release('a')
    pool.release('nobody')
    expect(addresses(pool.lease('b', context()))).toEqual(addresses(first))
  })

  test.each([
    ['10.0.0.0/31', 1],
    ['10.0.0.0/29', 3],
    ['10.0.0.0/28', 6],
    ['[10.0.0.0/29,10.0.1.0/29],[fd00::/124]', 6],
    ['10.0.0.0/24', 96],
  ])('leaves a part of %s for others than the client that has %i leases', (groups, most) => {
    const pool = ipam(groups)
    const leaseFor = (client: string) => (id: number) => pool.lease(`${client}-${id}`, context(), { client })
    const ids = Array.from({ length: most }, (_, id) => id)
    const greedy = ids.map(leaseFor('greedy'))
    expect(() => leaseFor('greedy')(most)).toThrow(expect.objectContaining({ code: 'resource_exhausted' }))
    expect(ids.map(leaseFor('greedy'))).toEqual(greedy) // renewed
    if (most > 1) leaseFor('honest')(0)
    pool.release('greedy-0')
    leaseFor('greedy')(most)
    const restarted = ipam(groups, pool.leases())
    expect(() => restarted.lease('one more', context(), { client: 'greedy' })).toThrow('Cannot lease addresses')
  })

  test.each([
    ['10.0.0.0/29', 3],
    ['10.0.0.0/28', 7],
    ['10.0.0.0/24', 112],
  ])('leaves a part of %s for others than the node that names a client for each of %i leases', (groups, most) => {
    const pool = ipam(groups)
    const lease = (id: number) => pool.lease(`${id}`, context(), { client: `n1/${id}`, namer: 'n1' })
    for (let id = 0; id < most; id += 1) lease(id)
    expect(() => lease(most)).toThrow('the rest of the pool is for others')
    pool.lease('other', context(), { client: 'n2/0', namer: 'n2' })
    pool.release('0')
    lease(most)
  })

  test('refuses an invalid excluded prefix', () => {
    const pool = ipam('10.0.0.0/29')
    expect(() => pool.lease('a', context({ excludedPrefixes: ['everything'] }))).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    )
    expect(pool.leases()).toEqual([])
  })

  test('drops stored leases outside of the prefixes', () => {
    const stored = [
      { connectionId: 'a', holder: { client: 'a' }, pairs: [{ dst: '10.0.0.0', src: '10.0.0.1' }] },
      { connectionId: 'b', holder: { client: 'b' }, pairs: [{ dst: '192.0.2.0', src: '192.0.2.1' }] },
      { connectionId: 'c', holder: { client: 'c' }, pairs: [{ dst: '10.0.0.1', src: '10.0.0.2' }] },
    ]
    expect(ipam('10.0.0.0/24', stored).leases()).toEqual([stored[0]])
  })

  test('never leases one address to two connections, for any sequence of requests', () => {
    const step = fc.record({
      connection: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      act: fc.constantFrom('lease', 'release', 'restart'),
      hints: fc.array(
        fc.integer({ min: 0, max: 40 }).map((host) => `10.0.0.${host}/32`),
        { maxLength: 2 },
      ),
      excluded: fc.array(fc.constantFrom('10.0.0.0/30', '10.0.0.8/29', '10.0.1.0/31'), { maxLength: 2 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const groups = '[10.0.0.0/29,10.0.0.16/30],[10.0.1.0/29]'
        let pool = ipam(groups)
        for (const { connection, act, hints, excluded } of steps) {
          if (act === 'release') pool.release(connection)
          if (act === 'restart') pool = ipam(groups, JSON.parse(JSON.stringify(pool.leases())))
          if (act === 'lease') {
            const [src = [], dst = []] = [hints.slice(0, 1), hints.slice(1)]
            try {
              pool.lease(connection, context({ srcIpAddrs: src, dstIpAddrs: dst, excludedPrefixes: excluded }))
            } catch (error) {
              expect(error).toMatchObject({ code: 'resource_exhausted' })
            }
          }
          const given = pool.leases().flatMap(({ pairs }) => pairs.flatMap(({ src, dst }) => [src, dst]))
          expect(new Set(given).size).toBe(given.length)
        }
      }),
    )
  })
})

describe('parseGroups', () => {
  test.each([
    ['172.16.1.100/31', [1]],
    ['172.16.0.0/24, fd00::/120', [1, 1]],
    ['[172.16.0.0/24,172.16.1.0/24],[fd00::/120]', [2, 1]],
  ])('%s has groups of %j prefixes', (text, sizes) => {
    expect(parseGroups(text).map((group) => group.length)).toEqual(sizes)
  })

  test.each(['', '[', '[]', '[10.0.0.0/8', '10.0.0.0/33', 'all', '[10.0.0.0/8],[10.1.0.0/16]'])(
    'refuses %j',
    (text) => {
      expect(() => parseGroups(text)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
    },
  )
})
