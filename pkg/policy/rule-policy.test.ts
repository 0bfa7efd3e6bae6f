import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCondition } from './condition/condition.ts'
import { ACTIONS, type Question } from './question.ts'
import { RulePolicy } from './rule-policy.ts'
import { decideByReference, type ReferenceRule, type Tree, toCel, type Variable } from './testing/reference-policy.ts'
import { policyOf } from './testing/test-policies.ts'

const WEB: Question = {
  action: 'request',
  caller: 'spiffe://west/ns/shop/sa/web',
  service: 'db',
  isAllowedByDefault: true,
}

/** Few values, so that conditions often hold; and those that attackers try. */
const NAMES = ['db', 'DB', 'db.', 'd\u0062', 'dß', 'files', 'files@east', 'db@east', '']
const IDS = [
  'spiffe://west/node/n1',
  'spiffe://west/node/n1/uid/1000',
  'spiffe://west/node/n1/uid/0',
  'spiffe://west/ns/shop/sa/web',
  'spiffe://east/node/n1',
  'spiffe://east/node/n1/uid/1000',
  'spiffe://east/registry',
  'spiffe://west.evil/node/n1/uid/0',
]
const KEYS = ['app', 'App', '__proto__', 'constructor']
const VARIABLES: readonly Variable[] = [
  'service',
  'endpoint',
  'client.id',
  'client.domain',
  'client.uid',
  'caller.domain',
  'domain',
]

const name = fc.constantFrom(...NAMES)
const value = fc.oneof(name, fc.constantFrom(...IDS, 'west', 'east', '0', '1000', 'spiffe://west/', 'web'))
const variable = fc.constantFrom(...VARIABLES)
const key = fc.constantFrom(...KEYS)

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ op: fc.constant('is' as const), variable, value }),
    fc.record({ op: fc.constant('in' as const), variable, values: fc.array(value, { maxLength: 4 }) }),
    fc.record({ op: fc.constant('begins' as const), variable, value }),
    fc.record({ op: fc.constant('label' as const), key, value }),
    fc.record({ op: fc.constant('has' as const), key }),
    fc.record({ op: fc.constantFrom('and' as const, 'or' as const), left: tie('tree'), right: tie('tree') }),
    fc.record({ op: fc.constant('not' as const), tree: tie('tree') }),
  ),
}))

const rules: fc.Arbitrary<readonly ReferenceRule[]> = fc
  .array(
    fc.record({
      effect: fc.constantFrom('allow' as const, 'deny' as const),
      actions: fc.subarray([...ACTIONS], { minLength: 1 }),
      tree,
    }),
    { maxLength: 6 },
  )
  .map((all) => all.map((rule, index) => ({ ...rule, name: `rule-${index}` })))

const questions: fc.Arbitrary<Question> = fc.record({
  action: fc.constantFrom(...ACTIONS),
  caller: fc.constantFrom(...IDS),
  client: fc.constantFrom(...IDS, undefined),
  service: name,
  endpoint: name,
  labels: fc.array(fc.tuple(key, value), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
  isAllowedByDefault: fc.boolean(),
})

function compile(all: readonly ReferenceRule[], domain: string): RulePolicy {
  const compiled = all.map(({ tree: each, ...rule }) => ({
    ...rule,
    actions: ACTIONS.filter((action) => rule.actions.includes(action)),
    condition: compileCondition(toCel(each)),
  }))
  return new RulePolicy({ domain, rules: compiled, defaults: new Map() })
}

describe('a policy of rules', () => {
  it('decides as the reference does, whatever the rules and the question', () => {
    fc.assert(
      fc.property(rules, fc.array(questions, { minLength: 30, maxLength: 30 }), (all, asked) => {
        const policy = compile(all, 'west')
        for (const question of asked) {
          const { isAllowed, rule } = policy.decide(question)
          expect({ isAllowed, rule }).toEqual(decideByReference(all, question, 'west'))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('lets the first rule that denies win over every rule that allows', () => {
    const policy = policyOf(`rules:
      - {name: everybody, effect: allow, actions: [request]}
      - {name: not-db, effect: deny, actions: [request], when: service == 'db'}
      - {name: not-shop, effect: deny, actions: [request], when: client.ns == 'shop'}`)
    expect(policy.decide(WEB)).toEqual({ isAllowed: false, rule: 'not-db', reason: 'the rule denies it' })
    expect(policy.decide({ ...WEB, service: 'files' })).toMatchObject({ isAllowed: false, rule: 'not-shop' })
    expect(policy.decide({ ...WEB, caller: 'spiffe://west/x', service: 'files' })).toMatchObject({ rule: 'everybody' })
  })

  it('opens nothing to another domain by a rule', () => {
    const policy = policyOf('rules: [{name: everybody, effect: allow, actions: [request, watch, serve, federate]}]')
    const foreign = { ...WEB, caller: 'spiffe://east/node/n1' }
    expect(policy.decide({ ...foreign, isAllowedByDefault: false })).toMatchObject({ isAllowed: false, rule: '' })
    expect(policy.decide({ ...foreign, isAllowedByDefault: true })).toMatchObject({ isAllowed: true, rule: '' })
    const alien = { ...foreign, client: 'spiffe://west/node/n1' }
    expect(policy.decide({ ...alien, isAllowedByDefault: false })).toMatchObject({ isAllowed: false })
  })

  it('denies by default where the policy says so, and to callers of this domain alone', () => {
    const policy = policyOf(`defaults: {request: deny}
rules: [{name: web, effect: allow, actions: [request], when: client.sa == 'web'}]`)
    expect(policy.decide(WEB)).toMatchObject({ isAllowed: true, rule: 'web' })
    expect(policy.decide({ ...WEB, caller: 'spiffe://west/node/n1' })).toMatchObject({ isAllowed: false, rule: '' })
    expect(policy.decide({ ...WEB, caller: 'spiffe://west/x', action: 'serve' })).toMatchObject({ isAllowed: true })
    expect(policy.decide({ ...WEB, caller: 'spiffe://east/node/n1' })).toMatchObject({ isAllowed: true })
  })

  it('chooses, with its default, among the domains that an operator has invited', () => {
    const policy = policyOf(`defaults: {federate: deny}
rules: [{name: east, effect: allow, actions: [federate], when: client.domain == 'east'}]`)
    const federate = (domain: string) =>
      policy.decide({ action: 'federate', caller: `spiffe://${domain}/registry`, isAllowedByDefault: true })
    expect(federate('east')).toMatchObject({ isAllowed: true, rule: 'east' })
    expect(federate('north')).toMatchObject({ isAllowed: false, rule: '' })
  })

  it('leaves the nodes their view by default, and takes it by a rule alone', () => {
    const watch = { action: 'watch', caller: 'spiffe://west/node/n1', isAllowedByDefault: true } as const
    const policy = policyOf('defaults: {watch: deny}')
    expect(policy.decide(watch)).toMatchObject({ isAllowed: true })
    expect(policy.decide({ ...watch, caller: 'spiffe://west/node/n1/uid/7' })).toMatchObject({ isAllowed: false })
    const blind = policyOf("rules: [{name: blind, effect: deny, actions: [watch], when: client.node == 'n1'}]")
    expect(blind.decide(watch)).toMatchObject({ isAllowed: false, rule: 'blind' })
  })

  it('fails closed where a condition has no answer', () => {
    const denying = policyOf(
      `rules: [{name: dev, effect: deny, actions: [request], when: "claimed.labels.env == 'dev'"}]`,
    )
    expect(denying.decide(WEB)).toEqual({
      isAllowed: false,
      rule: 'dev',
      reason: 'the condition of the rule has no answer: No such key: env',
    })
    const allowing = policyOf(`defaults: {request: deny}
rules: [{name: prod, effect: allow, actions: [request], when: "claimed.labels.env == 'prod'"}]`)
    expect(allowing.decide(WEB)).toMatchObject({ isAllowed: false, rule: '' })
    expect(allowing.decide({ ...WEB, labels: { env: 'prod' } })).toMatchObject({ isAllowed: true, rule: 'prod' })
  })

  it.each([
    ['an upper-case domain', { caller: 'spiffe://WEST/node/n1' }],
    ['a percent-encoded path', { caller: 'spiffe://west/node%2fn1' }],
    ['a path that goes up', { caller: 'spiffe://west/node/../registry' }],
    ['a port', { caller: 'spiffe://west:1/node/n1' }],
    ['a user', { caller: 'spiffe://a@west/node/n1' }],
    ['a trailing slash', { caller: 'spiffe://west/node/n1/' }],
    ['an empty identity', { caller: '' }],
    ['a client that is no identity', { client: 'web' }],
    ['a client with a look-alike letter', { client: 'spiffe://w\u0435st/node/n1' }],
    ['a service name without end', { service: 'a'.repeat(321) }],
  ])('decides nothing in favour of %s', (_what, change) => {
    const policy = policyOf(`rules: [{name: a, effect: allow, actions: [request], when: "domain == 'west'"}]`)
    expect(policy.decide({ ...WEB, ...change })).toMatchObject({ isAllowed: false, rule: '' })
  })

  it.each([
    ['another case', 'DB'],
    ['a trailing dot', 'db.'],
    ['its domain', 'db@west'],
    ['a look-alike letter', 'd\u0184'],
    ['a combining mark', 'db\u0301'],
    ['a zero-width space', 'd\u200bb'],
    ['a zero byte', 'db\0'],
    ['a percent code', 'd%62'],
    ['nothing', ''],
  ])('does not take a name with %s for the one that a rule names', (_what, service) => {
    const policy = policyOf(`defaults: {request: deny}
rules: [{name: db, effect: allow, actions: [request], when: "service == 'db'"}]`)
    expect(policy.decide({ ...WEB, service })).toMatchObject({ isAllowed: false, rule: '' })
    expect(policy.decide(WEB)).toMatchObject({ isAllowed: true, rule: 'db' })
  })

  it('says of every rule for an action what it says of a question', () => {
    const policy = policyOf(`rules:
      - {name: db, effect: deny, actions: [request], when: service == 'db'}
      - {name: dev, effect: deny, actions: [request], when: "claimed.labels.env == 'dev'"}
      - {name: serving, effect: deny, actions: [serve]}`)
    if (!(policy instanceof RulePolicy)) throw new Error('not a policy of rules')
    expect(policy.findings(WEB).map(({ rule, finding }) => [rule.name, finding.at])).toEqual([
      ['db', 'holds'],
      ['dev', 'no-answer'],
    ])
  })

  it('takes at most a millisecond for a decision, with as many rules as a decision may weigh', () => {
    const general = Array.from(
      { length: 250 },
      (_, index) =>
        `- {name: g${index}, effect: deny, actions: [request], when: "client.uid == '${index}' && client.node == 'x'"}`,
    )
    const named = Array.from(
      { length: 700 },
      (_, index) =>
        `- {name: n${index}, effect: deny, actions: [request], when: "service == 's${index}' && client.ns == 'x'"}`,
    )
    const policy = policyOf(`rules:\n${[...general, ...named].join('\n')}`)
    const times = Array.from({ length: 3_000 }, (_, index) => {
      const startMs = performance.now()
      policy.decide({ ...WEB, service: `s${index % 700}` })
      return performance.now() - startMs
    }).sort((a, b) => a - b)
    expect(times[times.length / 2]).toBeLessThan(1)
  })
})
