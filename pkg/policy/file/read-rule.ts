import type { Node } from 'yaml'
import { type Condition, ConditionError, compileCondition } from '../condition/condition.ts'
import { ACTIONS, type Action } from '../question.ts'
import { EFFECTS, type Rule } from '../rule.ts'
import type { YamlReader } from './yaml-reader.ts'

const RULE_NAME = /^[A-Za-z0-9._-]{1,64}$/

/** A rule, and where its name is. */
export interface PlacedRule {
  readonly rule: Rule
  readonly node: Node
  readonly reader: YamlReader
}

/** Empty where the rule has a mistake that leaves nothing of it. */
export function readRule(reader: YamlReader, node: Node): readonly PlacedRule[] {
  const entries = reader.map(node, ['name', 'effect', 'actions', 'when'])
  if (entries === undefined) return []
  const nameNode = entries.get('name')
  const name = nameNode && reader.text(nameNode)
  const effectNode = entries.get('effect')
  const effect = effectNode && reader.choice(effectNode, EFFECTS)
  const actionsNode = entries.get('actions')
  const actions = actionsNode === undefined ? [] : readActions(reader, actionsNode)
  const when = entries.get('when')
  const condition = when && readCondition(reader, when)
  for (const key of ['name', 'effect', 'actions']) if (!entries.has(key)) reader.mistake(node, `lacks its ${key}`)
  if (nameNode !== undefined && name !== undefined && !RULE_NAME.test(name)) {
    reader.mistake(nameNode, 'must be a name of 1 to 64 letters, digits, ".", "_" or "-"')
  }
  if (name === undefined || effect === undefined) return []
  return [{ rule: { name, effect, actions, condition }, node: nameNode ?? node, reader }]
}

function readActions(reader: YamlReader, node: Node): readonly Action[] {
  const actions = reader.list(node).flatMap((each) => reader.choice(each, ACTIONS) ?? [])
  if (actions.length === 0) reader.mistake(node, `must name at least one of ${ACTIONS.join(', ')}`)
  return actions
}

function readCondition(reader: YamlReader, node: Node): Condition | undefined {
  const text = reader.text(node)
  try {
    return text === undefined ? undefined : compileCondition(text)
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error
    reader.mistakeWithin(node, error.offset, `the condition is wrong: ${error.message}`)
    return undefined
  }
}
