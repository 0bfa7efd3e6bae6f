import type { Node } from 'yaml'
import { describeError } from '../../base/index.ts'
import { formatPrefix, network, type Prefix, parsePrefix, whyNeverOnWire } from '../../net/index.ts'
import { type Condition, ConditionError, compileCondition } from '../condition/condition.ts'
import { ACTIONS, type Action } from '../question.ts'
import { EFFECTS, type Effect, type Rule } from '../rule.ts'
import type { YamlReader } from './yaml-reader.ts'

const MAX_PREFIXES = 64
const RULE_NAME = /^[A-Za-z0-9._-]{1,64}$/

/** A rule, and where its name is. */
export interface PlacedRule {
  readonly rule: Rule
  readonly node: Node
  readonly reader: YamlReader
}

/** Empty where the rule has a mistake that leaves nothing of it. */
export function readRule(reader: YamlReader, node: Node): readonly PlacedRule[] {
  const entries = reader.map(node, ['name', 'effect', 'actions', 'when', 'prefixes'])
  if (entries === undefined) return []
  const nameNode = entries.get('name')
  const name = nameNode && reader.text(nameNode)
  const effectNode = entries.get('effect')
  const effect = effectNode && reader.choice(effectNode, EFFECTS)
  const actionsNode = entries.get('actions')
  const actions = actionsNode === undefined ? [] : readActions(reader, actionsNode)
  const prefixesNode = entries.get('prefixes')
  const prefixes = prefixesNode && readPrefixes(reader, prefixesNode, effect)
  const when = entries.get('when')
  const condition = when && readCondition(reader, when)
  for (const key of ['name', 'effect', 'actions']) if (!entries.has(key)) reader.mistake(node, `lacks its ${key}`)
  if (nameNode !== undefined && name !== undefined && !RULE_NAME.test(name)) {
    reader.mistake(nameNode, 'must be a name of 1 to 64 letters, digits, ".", "_" or "-"')
  }
  if (name === undefined || effect === undefined) return []
  const rule = { name, effect, actions, prefixes, condition }
  checkRoute(reader, node, rule)
  return [{ rule, node: nameNode ?? node, reader }]
}

function readActions(reader: YamlReader, node: Node): readonly Action[] {
  const actions = reader.list(node).flatMap((each) => reader.choice(each, ACTIONS) ?? [])
  if (actions.length === 0) reader.mistake(node, `must name at least one of ${ACTIONS.join(', ')}`)
  return actions
}

function readPrefixes(reader: YamlReader, node: Node, effect: Effect | undefined): readonly Prefix[] {
  const items = reader.list(node)
  if (items.length === 0) reader.mistake(node, 'must name at least one prefix, such as 10.0.0.0/8')
  if (items.length > MAX_PREFIXES) {
    reader.mistake(node, `has ${items.length} prefixes; at most ${MAX_PREFIXES} are taken`)
    return []
  }
  return items.flatMap((each) => {
    const prefix = readPrefix(reader, each)
    const reason = prefix && effect === 'allow' ? whyNeverOnWire(prefix) : undefined
    if (reason !== undefined) reader.mistake(each, `no policy can allow this prefix: ${reason}`)
    return prefix ?? []
  })
}

function readPrefix(reader: YamlReader, node: Node): Prefix | undefined {
  const text = reader.text(node)
  if (text === undefined) return undefined
  try {
    const prefix = parsePrefix(text)
    const whole = formatPrefix(network(prefix))
    if (formatPrefix(prefix) !== whole) reader.mistake(node, `has host bits; the prefix is ${whole}`)
    return prefix
  } catch (error) {
    reader.mistake(node, describeError(error))
    return undefined
  }
}

/** Who is let past what keeps all wires safe is written down: for which prefixes, and for which services. */
function checkRoute(reader: YamlReader, node: Node, { effect, actions, prefixes, condition }: Rule): void {
  const isAboutRoutes = actions.includes('route')
  if (prefixes !== undefined && (!isAboutRoutes || actions.length > 1)) {
    reader.mistake(node, 'has prefixes, which only a rule with the one action route takes')
  }
  if (!isAboutRoutes || effect === 'deny') return
  if (prefixes === undefined) reader.mistake(node, 'allows to route, and lacks its prefixes')
  if (condition?.services === undefined) {
    reader.mistake(node, "allows to route, and must name the service: let its condition begin with service == '…' &&")
  }
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
