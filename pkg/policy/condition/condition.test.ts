import { describe, expect, it } from 'vitest'
import type { Question } from '../question.ts'
import { compileCondition } from './condition.ts'
import { factsOf } from './facts.ts'

const QUESTION: Question = {
  action: 'request',
  caller: 'spiffe://west/node/n1',
  client: 'spiffe://west/node/n1/uid/1000',
  service: 'files',
  endpoint: 'nse-files',
  payload: 'IP',
  mechanism: 'WIREGUARD',
  labels: { app: 'web', zone: 'a' },
  isAllowedByDefault: true,
}

const holds = (text: string, change: Partial<Question> = {}) =>
  compileCondition(text).holds(factsOf({ ...QUESTION, ...change }, 'east'))

describe('a condition', () => {
  it.each([
    ['true', true],
    ['domain == "east" && client.domain != domain', true],
    ["caller.kind == 'node' && client.kind == 'workload'", true],
    ["client.node == 'n1' && client.uid == '1000' && client.ns == ''", true],
    ["client.uid in ['0', '1000']", true],
    ["client.path.startsWith('/node/n1/')", true],
    ["service == 'files' ? payload == 'IP' : false", true],
    ["claimed.labels.app == 'web' && claimed.labels['zone'] in ['a', 'b']", true],
    ["has(claimed.labels.nothing) || 'nothing' in claimed.labels", false],
    ["claimed.labels.exists(key, key == 'app' && claimed.labels[key].contains('e'))", true],
    ["claimed.labels.filter(key, key.endsWith('e')).size() == 1 && size(service) > 4", true],
    ["!(mechanism == 'VXLAN') && operation == '' && endpoint == 'nse-files' && action == 'request'", true],
    ["claimed.labels.nothing == 'a' && service == 'another'", false],
  ])('%s is %s', (text, expected) => {
    expect(holds(text)).toBe(expected)
  })

  it.each([
    [
      'spiffe://west/ns/shop/sa/web',
      'client.ns == "shop" && client.sa == "web" && client.uid == "" && client.node == ""',
    ],
    ['spiffe://west/registry', 'client.kind == "registry" && client.path == "/registry"'],
    ['spiffe://west/node/n1', 'client.kind == "node" && client.node == "n1" && client.uid == ""'],
    ['spiffe://west/x/uid/uid/0', 'client.kind == "workload" && client.uid == ""'],
    ['spiffe://west/node/uid/uid/7', 'client.node == "uid" && client.uid == "7"'],
    ['spiffe://west/node/n1/ns/uid/sa/0', 'client.uid == "" && client.ns == "uid" && client.sa == "0"'],
    ['spiffe://west', 'client.kind == "workload" && client.path == ""'],
  ])('takes %s apart', (client, text) => {
    expect(holds(text, { client })).toBe(true)
  })

  it('has no answer for a label that is not there, or for labels that are too many', () => {
    expect(() => holds("claimed.labels.nothing == 'a'")).toThrow('No such key: nothing')
    const labels = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`${index}`, '']))
    expect(() => holds("'1' in claimed.labels", { labels })).toThrow('too large')
    expect(holds("service == 'files'", { labels })).toBe(true)
    expect(() => holds("'a' in claimed.labels", { labels: { a: 'a'.repeat(257) } })).toThrow('too large')
  })

  it('takes labels as they are named, whatever JavaScript thinks of the name', () => {
    const labels = JSON.parse('{"__proto__": "a", "constructor": "b"}')
    expect(holds("claimed.labels['__proto__'] == 'a' && claimed.labels.constructor == 'b'", { labels })).toBe(true)
    expect(holds("'constructor' in claimed.labels || 'toString' in claimed.labels", { labels: {} })).toBe(false)
  })

  it.each([
    ['', 0, 'Unexpected token: EOF'],
    ["service == 'files' &&", 21, 'Unexpected token: EOF'],
    ["service = 'files'", 8, 'Unexpected character'],
    ["servcie == 'files'", 0, 'there is no variable servcie; there are action, domain'],
    ["client.user == 'a'", 7, 'there is no field user; there are id, domain'],
    ["client.constructor == 'a'", 7, 'there is no field constructor'],
    ["client.__proto__ == 'a'", 7, 'there is no field __proto__'],
    ["client['id'] == 'a'", 0, 'only claimed.labels can be indexed'],
    ['client.uid == 1000', 0, 'no such overload: string == int'],
    ['service', 0, 'it is a string; it must be true or false'],
    ["service == 'a' && domain", 0, 'Logical operator requires bool'],
    ["service.matches('(a+)+$')", 0, 'conditions may not call matches: use =='],
    ["service.lowerAscii() == 'files'", 0, 'conditions may not call lowerAscii: compare names as they are'],
    ["cel.bind(x, service, x == 'a')", 0, 'conditions may not call bind'],
    ['claimed.labels.map(k, k).size() > 1', 0, 'conditions may not call map'],
    ["service + service == 'a'", 0, 'conditions may not use +'],
    ['-1 < size(service)', 0, 'conditions may not use -'],
    ["dyn(service) == 'a'", 0, 'conditions may not call dyn'],
    ["{'a': 1}.size() == 1", 0, 'maxMapEntries'],
    ['type(service) == string', 0, 'conditions may not call type'],
    ['service in service', 11, 'this must be claimed.labels, or a list'],
    ["claimed.labels.all(client, client == 'a')", 19, 'client is a variable'],
    ["claimed.labels.all(k, service in ['a'].filter(x, x == k)) && claimed == claimed", 61, 'no such overload'],
    [`${'!'.repeat(2_000)}true`, 0, 'maxAstNodes'],
    [`${'('.repeat(100)}true${')'.repeat(100)}`, 0, 'maxDepth'],
    [`service == '${'a'.repeat(5_000)}'`, 0, 'longer than 4096 characters'],
  ])('is refused: %s', (text, offset, message) => {
    const compile = () => compileCondition(text)
    expect(compile).toThrow(message)
    if (!['maxAstNodes', 'maxDepth', 'maxMapEntries'].includes(message)) {
      expect(compile).toThrow(expect.objectContaining({ offset }))
    }
  })

  it('says before it is evaluated how many steps it takes at most', () => {
    const steps = (text: string) => compileCondition(text).steps
    expect(steps("service == 'a'")).toBeLessThan(20)
    const once = steps("claimed.labels.exists(a, a == 'x')")
    expect(once).toBeGreaterThan(64)
    expect(steps('claimed.labels.exists(a, claimed.labels.exists(b, a == b))')).toBeGreaterThan(64 * 64)
  })

  it.each([
    ["service == 'db' && client.uid == '0'", ['db']],
    ["client.uid == '0' && (payload == 'IP' && 'db' == service)", ['db']],
    ["service in ['a', 'b'] && true", ['a', 'b']],
    ["service == 'db' || true", undefined],
    ["!(service == 'db')", undefined],
    ['service == endpoint', undefined],
    ["service in [endpoint, 'a']", undefined],
  ])('%s can hold for %j', (text, services) => {
    const found = compileCondition(text).services
    expect(found && [...found]).toEqual(services)
  })
})
