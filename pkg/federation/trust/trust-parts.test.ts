import { expect, test } from 'vitest'
import { authorityV1, MAX_MESSAGE_BYTES } from '../../api/index.ts'
import { trustParts } from './trust-parts.ts'

const texts = (count: number, length: number) => Array.from({ length: count }, (_, i) => `${i}`.padEnd(length, 'x'))

function state(change: Partial<authorityV1.TrustState> = {}): authorityV1.TrustState {
  const authorities = [Buffer.alloc(4_096, 1)]
  return {
    revision: 7n,
    trustDomain: 'west',
    authorities,
    domains: [],
    revoked: [],
    continues: false,
    diskProblem: '',
    namesake: '',
    aheadMs: 0n,
    ...change,
  }
}

const domain = (name: string, services: string[]) => ({
  trustDomain: name,
  authorities: Array.from({ length: 8 }, () => Buffer.alloc(4_096, 2)),
  exportedServices: services,
  exportedWhen: new Map(services.slice(0, 100).map((service) => [`${service}-some`, 'x'.repeat(2_100)])),
})

test('a small state is one part', () => {
  const small = state({ domains: [domain('east', ['a', 'b'])], revoked: ['spiffe://west/node/n1'] })
  expect(trustParts(state())).toEqual([state()])
  const [only, ...rest] = trustParts(small)
  expect(only).toEqual(small)
  expect(rest).toEqual([])
})

test('a state of any size comes in parts that fit a message, with all that is in it', () => {
  const domains = ['east', 'north', 'south'].map((name) => domain(name, texts(2_000, 253)))
  const large = state({ domains, revoked: texts(20_000, 80) })
  const parts = trustParts(large)
  for (const part of parts) {
    expect(authorityV1.TrustState.encode(part).finish().length).toBeLessThan(MAX_MESSAGE_BYTES)
    expect(part).toMatchObject({ revision: 7n, trustDomain: 'west', authorities: large.authorities })
  }
  expect(parts.map(({ continues }) => continues)).toEqual([...parts.slice(1).map(() => true), false])
  expect(parts.flatMap(({ revoked }) => revoked)).toEqual(large.revoked)
  const exported = (name: string) =>
    parts.flatMap((part) => part.domains).flatMap((each) => (each.trustDomain === name ? each.exportedServices : []))
  for (const { trustDomain, exportedServices } of domains) expect(exported(trustDomain)).toEqual(exportedServices)
  const conditions = (name: string) =>
    parts.flatMap((part) => part.domains).flatMap((each) => (each.trustDomain === name ? [...each.exportedWhen] : []))
  for (const { trustDomain, exportedWhen } of domains) expect(conditions(trustDomain)).toEqual([...exportedWhen])
})
