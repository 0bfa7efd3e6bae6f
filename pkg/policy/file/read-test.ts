import type { Node } from 'yaml'
import { parseSpiffeId } from '../../api/index.ts'
import { describeError } from '../../base/index.ts'
import { formatPrefix, network, parsePrefix } from '../../net/index.ts'
import { ACTIONS, type Action, type Question } from '../question.ts'
import { EFFECTS } from '../rule.ts'
import type { PolicyTest } from './policy-test.ts'
import type { YamlReader } from './yaml-reader.ts'

const TEXTS = ['service', 'endpoint', 'payload', 'mechanism', 'operation'] as const
const KEYS = [
  'name',
  'action',
  'caller',
  'client',
  'domain',
  'labels',
  'exported',
  'administrator',
  'prefix',
  'expect',
  'rule',
]

/** Empty where the test has a mistake that leaves nothing to run. */
export function readTest(reader: YamlReader, node: Node): readonly PolicyTest[] {
  const entries = reader.map(node, [...KEYS, ...TEXTS])
  if (entries === undefined) return []
  for (const key of ['action', 'caller', 'expect']) if (!entries.has(key)) reader.mistake(node, `lacks its ${key}`)
  const expected = readWith(entries, 'expect', (value) => reader.choice(value, EFFECTS))
  const domain = readWith(entries, 'domain', (value) => reader.text(value)) ?? ''
  const question = readQuestion(reader, entries, domain)
  if (question === undefined || expected === undefined) return []
  const place = reader.place(node)
  const name = readWith(entries, 'name', (value) => reader.text(value)) ?? `in line ${place.line}`
  return [{ name, place, domain, question, expected, rule: readWith(entries, 'rule', (value) => reader.text(value)) }]
}

type Entries = ReadonlyMap<string, Node>

function readQuestion(reader: YamlReader, entries: Entries, domain: string): Question | undefined {
  const action = readWith(entries, 'action', (value) => reader.choice(value, ACTIONS))
  const caller = readWith(entries, 'caller', (value) => readIdentity(reader, value))
  const client = readWith(entries, 'client', (value) => readIdentity(reader, value))
  const labels = readWith(entries, 'labels', (value) => reader.texts(value)) ?? {}
  const texts = Object.fromEntries(
    TEXTS.map((key) => [key, readWith(entries, key, (value) => reader.text(value)) ?? '']),
  )
  const prefix = readWith(entries, 'prefix', (value) => readPrefix(reader, value)) ?? ''
  const exception = action === 'administer' ? 'administrator' : 'exported'
  const isException = readWith(entries, exception, (value) => reader.flag(value))
  if (action === undefined || caller === undefined) return undefined
  const isAllowedByDefault = action !== 'route' && (isException ?? isAllowed(action, caller, domain))
  return { ...texts, action, caller, client, labels, prefix, isAllowedByDefault }
}

/** Without a word about exports and administrators: callers of the domain may, all others may not. */
function isAllowed(action: Action, caller: string, domain: string): boolean {
  return action !== 'administer' && (domain === '' || parseSpiffeId(caller).trustDomain === domain)
}

function readIdentity(reader: YamlReader, node: Node): string | undefined {
  const text = reader.text(node)
  try {
    return text && parseSpiffeId(text).id
  } catch (error) {
    reader.mistake(node, describeError(error))
    return undefined
  }
}

function readPrefix(reader: YamlReader, node: Node): string | undefined {
  const text = reader.text(node)
  try {
    return text && formatPrefix(network(parsePrefix(text)))
  } catch (error) {
    reader.mistake(node, describeError(error))
    return undefined
  }
}

function readWith<T>(entries: Entries, key: string, read: (node: Node) => T | undefined): T | undefined {
  const node = entries.get(key)
  return node && read(node)
}
