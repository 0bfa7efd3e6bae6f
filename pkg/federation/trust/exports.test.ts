import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../base/index.ts'
import { reachOf } from '../../net/index.ts'
import { TestPolicies } from '../../policy/testing/index.ts'
import { TestWorld } from '../testing/index.ts'
import { domain as west } from '../testing/sample-records.ts'
import { exportService, withdrawService } from './exports.ts'
import { Trust } from './trust.ts'
import { TrustRecords } from './trust-records.ts'

const SHOP = "client.ns == 'shop'"

let world: TestWorld
let records: TrustRecords
let trust: Trust
let policy: TestPolicies

beforeEach(async () => {
  world = new TestWorld()
  policy = new TestPolicies('east')
  records = await TrustRecords.open({ store: world.emptyStore(), clock: world.clock, logger: silentLogger })
  await records.change('domain', 'west', () => ({ ...west, exports: ['files'] }))
  const reach = reachOf([])
  trust = await Trust.open({
    records,
    domain: 'east',
    authorities: [],
    addresses: [],
    reach,
    policy,
    clock: world.clock,
  })
})

afterEach(async () => {
  trust.close()
  await records.close()
  await world.scope.close()
})

const toNodes = () => {
  const [first] = trust.state().domains
  return { everybody: first?.exportedServices, some: Object.fromEntries(first?.exportedWhen ?? []) }
}

describe('an export for some', () => {
  it('is found by the other domain, and reaches the nodes with its condition', async () => {
    await exportService(records, { service: 'db', domain: 'west', when: SHOP })
    expect(trust.exports()).toEqual(new Map([['west', new Set(['db', 'files'])]]))
    expect(toNodes()).toEqual({ everybody: ['files'], some: { db: SHOP } })
  })

  it('replaces the export of the same service to the same domain, and is withdrawn like it', async () => {
    await exportService(records, { service: 'files', domain: 'west', when: SHOP })
    expect(toNodes()).toEqual({ everybody: [], some: { files: SHOP } })
    await exportService(records, { service: 'files', domain: 'west' })
    expect(toNodes()).toEqual({ everybody: ['files'], some: {} })
    await exportService(records, { service: 'files', domain: 'west', when: SHOP })
    await withdrawService(records, { service: 'files', domain: 'west' })
    expect(toNodes()).toEqual({ everybody: [], some: {} })
    await expect(withdrawService(records, { service: 'files', domain: 'west' })).rejects.toMatchObject({
      code: 'not_found',
    })
  })

  it('adds to one that goes to every domain', async () => {
    await exportService(records, { service: 'db', domain: '*', when: "client.ns == 'ops'" })
    await exportService(records, { service: 'db', domain: 'west', when: SHOP })
    expect(toNodes().some).toEqual({ db: `(client.ns == 'ops') || (${SHOP})` })
    await exportService(records, { service: 'db', domain: '*' })
    expect(toNodes()).toEqual({ everybody: ['db', 'files'], some: {} })
  })

  it.each([
    ["clent.ns == 'a'", 'there is no variable clent'],
    [`client.ns == '${'a'.repeat(1_024)}'`, 'longer than 1024'],
  ])('is refused with the condition %s', async (when, message) => {
    await expect(exportService(records, { service: 'db', domain: 'west', when })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(message),
    })
  })

  it('is refused when there are too many', async () => {
    const exportedWhen = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`s${index}`, SHOP]))
    await records.change('domain', 'west', () => ({ ...west, exportedWhen }))
    const another = exportService(records, { service: 'db', domain: 'west', when: SHOP })
    await expect(another).rejects.toMatchObject({ code: 'resource_exhausted' })
    await exportService(records, { service: 'db', domain: 'west' })
  })
})

describe('a policy about federation', () => {
  it('takes back what an operator has exported, for as long as it says so', () => {
    let changes = 0
    trust.subscribe(() => {
      changes += 1
    })
    policy.change("rules: [{name: none, effect: deny, actions: [federate], when: service == 'files'}]")
    expect([changes, toNodes().everybody]).toEqual([1, []])
    expect(trust.exports().get('west')).toEqual(new Set())
    expect(() => trust.checkMayFederate('west', 'files')).toThrow('Cannot share the network service')
    policy.change('rules: []')
    expect([changes, toNodes().everybody]).toEqual([2, ['files']])
  })
})
