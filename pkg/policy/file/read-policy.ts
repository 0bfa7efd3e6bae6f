/** Reads policy files: their rules, defaults and tests, with the place of every mistake. */
import type { Node } from 'yaml'
import { ACTIONS, type Action } from '../question.ts'
import { EFFECTS, type Effect, type Rule } from '../rule.ts'
import type { Mistakes } from './mistakes.ts'
import type { PolicyTest } from './policy-test.ts'
import { type PlacedRule, readRule } from './read-rule.ts'
import { readTest } from './read-test.ts'
import { type SourceText, YamlReader } from './yaml-reader.ts'

const MAX_RULES = 1_000
const MAX_TESTS = 1_000

export interface ReadPolicy {
  /** In the order of the files. */
  readonly rules: readonly Rule[]
  readonly tests: readonly PolicyTest[]
  /** A default that one file denies is denied. */
  readonly defaults: ReadonlyMap<Action, Effect>
}

/** Of what is returned, nothing may be used where there are mistakes. */
export function readPolicy(sources: readonly SourceText[], mistakes: Mistakes): ReadPolicy {
  const files = sources.map((source) => readFile(new YamlReader(source, mistakes)))
  const rules = files.flatMap((file) => file.rules)
  checkNames(files, mistakes)
  return {
    rules: rules.map(({ rule }) => rule),
    tests: files.flatMap((file) => file.tests),
    defaults: mergeDefaults(files),
  }
}

interface PolicyFile {
  readonly rules: readonly PlacedRule[]
  readonly tests: readonly PolicyTest[]
  readonly defaults: readonly (readonly [Action, Effect])[]
}

function readFile(reader: YamlReader): PolicyFile {
  const file = reader.open(['rules', 'tests', 'defaults'])
  const rules = listOf(reader, file?.get('rules'), { max: MAX_RULES, what: 'rules' })
  const tests = listOf(reader, file?.get('tests'), { max: MAX_TESTS, what: 'tests' })
  const defaults = file?.get('defaults')
  return {
    rules: rules.flatMap((node) => readRule(reader, node)),
    tests: tests.flatMap((node) => readTest(reader, node)),
    defaults: defaults === undefined ? [] : readDefaults(reader, defaults),
  }
}

function listOf(
  reader: YamlReader,
  node: Node | undefined,
  { max, what }: { readonly max: number; readonly what: string },
): readonly Node[] {
  const items = node === undefined ? [] : reader.list(node)
  if (node === undefined || items.length <= max) return items
  reader.mistake(node, `has ${items.length} ${what}; at most ${max} are taken`)
  return []
}

function readDefaults(reader: YamlReader, node: Node): readonly (readonly [Action, Effect])[] {
  const entries = reader.map(node, ACTIONS) ?? new Map<string, Node>()
  return ACTIONS.flatMap((action) => {
    const value = entries.get(action)
    const effect = value && reader.choice(value, EFFECTS)
    return effect === undefined ? [] : [[action, effect] as const]
  })
}

function mergeDefaults(files: readonly PolicyFile[]): ReadonlyMap<Action, Effect> {
  const all = files.flatMap((file) => file.defaults)
  return new Map([...all, ...all.filter(([, effect]) => effect === 'deny')])
}

function checkNames(files: readonly PolicyFile[], mistakes: Mistakes): void {
  const seen = new Set<string>()
  for (const { rule, node, reader } of files.flatMap((file) => file.rules)) {
    if (seen.has(rule.name)) reader.mistake(node, `another rule has the name ${rule.name}`)
    seen.add(rule.name)
  }
  for (const { rule = '', place } of files.flatMap((file) => file.tests)) {
    if (rule !== '' && !seen.has(rule)) mistakes.add(place, `the test expects a rule that is not there: ${rule}`)
  }
}
