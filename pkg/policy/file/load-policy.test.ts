import { describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { checkPolicy, loadPolicy } from './load-policy.ts'

const GOOD = `# who may use the database
rules:
  - name: only-web
    effect: deny
    actions: [request]
    when: >-
      service == 'db' &&
      client.sa != 'web'
  - name: no-laptops
    effect: deny
    actions: [serve]
    when: client.node == 'laptop'
tests:
  - name: web gets in
    action: request
    caller: spiffe://east/ns/shop/sa/web
    service: db
    expect: allow
  - action: request
    caller: spiffe://east/node/n1
    client: spiffe://east/ns/shop/sa/cron
    service: db
    expect: deny
    rule: only-web
  - {action: request, caller: spiffe://west/node/n1, domain: east, service: files, expect: deny, rule: ''}
  - {action: request, caller: spiffe://west/node/n1, domain: east, service: files, exported: true, expect: allow}
  - {action: administer, caller: spiffe://east/node/n1/uid/0, expect: deny}
  - {action: administer, caller: spiffe://east/node/n1/uid/0, administrator: true, expect: allow}
`

const load = (text: string, domain = 'east') => loadPolicy([{ path: 'policy.yaml', text }], domain)

function mistakesOf(text: string): string {
  try {
    load(text)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return ''
}

describe('a policy file', () => {
  it('is loaded with its rules and its passed tests', () => {
    const policy = load(GOOD)
    const { results, mistakes } = checkPolicy([{ path: 'policy.yaml', text: GOOD }], 'east')
    expect(policy.rules.map(({ name, effect, actions }) => [name, effect, actions])).toEqual([
      ['only-web', 'deny', ['request']],
      ['no-laptops', 'deny', ['serve']],
    ])
    expect(results.map(({ test, isPassed }) => [test.name, isPassed])).toEqual([
      ['web gets in', true],
      ['in line 19', true],
      ['in line 25', true],
      ['in line 26', true],
      ['in line 27', true],
      ['in line 28', true],
    ])
    expect(mistakes).toEqual([])
  })

  it('may be JSON', () => {
    const policy = load(JSON.stringify(parseDocument(GOOD).toJS()))
    expect(policy.rules).toHaveLength(2)
  })

  it('decides as its tests say in whichever domain it is loaded', () => {
    expect(load(GOOD, 'another').domain).toBe('another')
  })

  it('is one policy with the other files, in their order; a default that one denies is denied', () => {
    const rule = (name: string, effect: string) => `{name: ${name}, effect: ${effect}, actions: [request]}`
    const files = [
      { path: 'a.yaml', text: `rules: [${rule('first', 'allow')}]\ndefaults: {request: deny, serve: allow}` },
      { path: 'b.yaml', text: `rules: [${rule('second', 'allow')}]\ndefaults: {request: allow, serve: deny}` },
    ]
    const policy = loadPolicy(files, 'east')
    expect(policy.rules.map(({ name }) => name)).toEqual(['first', 'second'])
    const question = { caller: 'spiffe://east/node/n1', isAllowedByDefault: true }
    expect(policy.decide({ ...question, action: 'request' })).toMatchObject({ isAllowed: true, rule: 'first' })
    expect(policy.decide({ ...question, action: 'serve' })).toMatchObject({ isAllowed: false, rule: '' })
    const twice = [...files, { path: 'c.yaml', text: `rules: [${rule('first', 'deny')}]` }]
    expect(() => loadPolicy(twice, 'east')).toThrow('c.yaml:1:16: another rule has the name first')
  })

  const ROUTE =
    "{name: vpn, effect: allow, actions: [route], prefixes: [10.0.0.0/8, 'fd20:ce::254/128'], when: service == 'vpn'}"
  const DENY = '{name: no-ten, effect: deny, actions: [route], prefixes: [10.96.0.0/12]}'
  const asks = (prefix: string, expected: string, rest = '') =>
    `{action: route, caller: spiffe://east/node/n1/uid/7, service: vpn, prefix: '${prefix}', expect: ${expected}${rest}}`

  it('decides about routes by their prefixes, and allows none by default', () => {
    const tests = [
      asks('10.0.0.0/8', 'deny', ', rule: no-ten'), // what shares an address with a denied prefix
      asks('10.1.2.3/16', 'allow', ', rule: vpn'),
      asks('10.100.0.0/32', 'deny', ', rule: no-ten'),
      asks('8.0.0.0/5', 'deny', ', rule: no-ten'),
      asks('fd20:ce::254/128', 'allow'),
      asks('fd20:ce::/64', 'deny', ", rule: ''"),
      asks('11.0.0.0/8', 'deny', ", rule: ''"),
      asks('10.1.0.0/16', 'deny').replace('service: vpn', "service: 'vpn@west'"),
      "{action: route, caller: 'spiffe://west/node/n1', domain: east, service: vpn, prefix: 10.1.0.0/16, expect: allow}",
      "{action: route, caller: 'spiffe://west/node/n1', domain: east, exported: true, service: vpn, prefix: 11.0.0.0/8, expect: deny}",
      '{action: route, caller: spiffe://east/node/n1/uid/7, service: vpn, expect: deny, rule: no-ten}',
    ]
    expect(mistakesOf(`rules: [${ROUTE}, ${DENY}]\ntests:\n- ${tests.join('\n- ')}`)).toBe('')
  })

  const RULE = 'rules:\n  - name: a\n    effect: deny\n    actions: [request]\n'

  it.each([
    ['', '1:1: is empty'],
    ['# nothing\n', '1:1: is empty'],
    ['rules: []\nrulse: []', '2:1: has an unknown key rulse; it takes rules, tests, defaults'],
    ['[]', '1:1: must be a map'],
    ['rules: 5', '1:8: must be a list'],
    ['rules: [5]', '1:9: must be a map'],
    ['rules:\n\t- name: a', '2:1: is not YAML'],
    ['rules: []\nrules: []', '2:1: is not YAML: Map keys must be unique'],
    ['rules:\n  - effect: deny\n    actions: [request]', '2:5: lacks its name'],
    [`${RULE}    when: service = 'a'`, '5:19: the condition is wrong: Unexpected character: ='],
    [
      `${RULE}    when: "service == 'a' && servcie == 'b'"`,
      '5:30: the condition is wrong: there is no variable servcie',
    ],
    [
      `${RULE}    when: |\n      service == 'a'\n      && client.nope == 'b'`,
      '7:17: the condition is wrong: there is no field',
    ],
    [
      `${RULE}    when: >-\n      service == 'a'\n      && client.nope == 'b'`,
      '7:17: the condition is wrong: there is no field',
    ],
    [
      `${RULE}    when: service == 'a'\n      && client.nope == 'b'`,
      '5:11: the condition is wrong: there is no field nope',
    ],
    [`${RULE}    when: 5`, '5:11: must be a text'],
    [`${RULE}    when: service.matches('a')`, '5:11: the condition is wrong: conditions may not call matches'],
    [`${RULE}    color: red`, '5:5: has an unknown key color; it takes name, effect, actions, when'],
    ['rules: [{name: a, effect: maybe, actions: [request]}]', '1:27: must be one of allow, deny, and is "maybe"'],
    ['rules: [{name: a, effect: deny, actions: [fly]}]', '1:43: must be one of request, serve, watch, administer'],
    ['rules: [{name: a, effect: deny, actions: []}]', '1:42: must name at least one of request'],
    [`rules: [${ROUTE.replace(', prefixes', ', prefix')}]`, '1:54: has an unknown key prefix'],
    [`rules: [${ROUTE.replace('10.0.0.0/8', 'ten')}]`, '1:65: Cannot parse the prefix'],
    [`rules: [${ROUTE.replace('10.0.0.0/8', '10.0.0.1/8')}]`, '1:65: has host bits; the prefix is 10.0.0.0/8'],
    [
      `rules: [${ROUTE.replace('10.0.0.0/8', '127.0.0.1/32')}]`,
      '1:65: no policy can allow this prefix: it is loopback',
    ],
    [
      `rules: [${ROUTE.replace('10.0.0.0/8', '0.0.0.0/0')}]`,
      '1:65: no policy can allow this prefix: it is "this network"',
    ],
    [`rules: [${ROUTE.replace(/prefixes: \[.*?\]/, 'prefixes: []')}]`, '1:64: must name at least one prefix'],
    [`rules: [${ROUTE.replace(/prefixes: \[.*?\], /, '')}]`, '1:9: allows to route, and lacks its prefixes'],
    [
      `rules: [${ROUTE.replace(', when: service', ', when: client.uid')}]`,
      '1:9: allows to route, and must name the service',
    ],
    [
      `rules: [${ROUTE.replace('[route]', '[route, request]')}]`,
      '1:9: has prefixes, which only a rule with the one action',
    ],
    [`rules: [${ROUTE.replace('[route]', '[request]')}]`, '1:9: has prefixes, which only a rule with the one action'],
    ['tests: [{action: route, caller: spiffe://east/a, prefix: ten, expect: deny}]', '1:58: Cannot parse the'],
    ['rules: [{name: "a b", effect: deny, actions: [serve]}]', '1:16: must be a name of 1 to 64'],
    ['rules: [{name: 7, effect: deny, actions: [serve]}]', '1:16: must be a text'],
    ['rules: &all []\ntests: *all', '1:13: must have no anchor and no tag; policy.yaml:2:8: must not be an alias'],
    ['rules: !!set {}', '1:14: must be a list'],
    ['rules: !js/function "x"', 'policy.yaml:1:8: is not YAML: Unresolved tag'],
    ['tests: [{action: request, expect: deny}]', '1:9: lacks its caller'],
    ['tests: [{action: request, caller: spiffe://East/node/n1, expect: deny}]', '1:35: Cannot parse the SPIFFE ID'],
    [
      'tests: [{action: request, caller: spiffe://east/a, expect: allow, rule: b}]',
      '1:9: the test expects a rule that',
    ],
    [
      'tests: [{action: request, caller: spiffe://east/a, expect: deny}]',
      '1:9: the test in line 1 fails: it expects deny',
    ],
    ['tests: [{action: request, caller: spiffe://east/a, labels: {a: 1}, expect: allow}]', '1:64: must be a text'],
    ['defaults: {fly: deny}', '1:12: has an unknown key fly'],
    ['defaults: {request: no}', '1:21: must be one of allow, deny'],
    [`rules: [${'{name: a, effect: deny, actions: [serve]},'.repeat(1_001)}]`, '1:8: has 1001 rules; at most 1000'],
  ])('says where the mistake is: %j', (text, mistake) => {
    expect(mistakesOf(text)).toContain(
      `Cannot use the policy: policy.yaml:${mistake}`.replace('policy.yaml:policy', 'policy'),
    )
  })

  it('tells several mistakes at once', () => {
    const text = mistakesOf('rules: [{name: a}, {name: b, effect: c, actions: [request]}]')
    expect(text).toMatch(/1:9: lacks its effect; .*1:9: lacks its actions; .*1:38: must be one of allow, deny/)
    const { mistakes } = checkPolicy([{ path: 'a.yaml', text: 'rules: [{name: a}]' }], 'east')
    expect(mistakes).toEqual(['a.yaml:1:9: lacks its effect', 'a.yaml:1:9: lacks its actions'])
  })

  it('does not spend memory on nested aliases', () => {
    const levels = Array.from(
      { length: 20 },
      (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]`,
    )
    expect(mistakesOf(['l0: &l0 [lol]', ...levels].join('\n'))).toContain('1:1: has an unknown key l0')
  })

  it('is refused when one decision could take longer than about a millisecond', () => {
    const slow = `claimed.labels.all(a, claimed.labels.all(b, a != b))`
    expect(mistakesOf(`${RULE}    when: ${slow}`)).toContain('one decision could take too long')
    const rules = (when: (index: number) => string) =>
      `rules:\n${Array.from({ length: 1_000 }, (_, index) => `- {name: r${index}, effect: deny, actions: [request], when: "${when(index)}"}`).join('\n')}`
    expect(mistakesOf(rules(() => `client.uid == '1'`))).toContain('could take too long')
    expect(mistakesOf(rules((index) => `service == 's${index}' && client.uid == '1'`))).toBe('')
  })
})
