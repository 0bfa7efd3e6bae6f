/**
 * The part of CEL that conditions may use, and what a condition costs at most. CEL always ends, but not always soon: with
 * regular expressions, arithmetic, `map` or `bind`, a short text can take seconds. Without them the number of steps is
 * known before the first evaluation.
 *
 * INVARIANT: only what is listed here is evaluated, whatever else a later version of the library brings.
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import { MAX_LABELS } from './facts.ts'
import { CLAIMS_FIELDS, IDENTITY_FIELDS, VARIABLES } from './variables.ts'

/** For comparing, searching or measuring a text of the greatest length. */
const TEXT_STEPS = 8

const FUNCTIONS: ReadonlySet<string> = new Set(['size', 'startsWith', 'endsWith', 'contains'])
const QUANTIFIERS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter'])
const INSTEAD: Readonly<Record<string, string>> = {
  matches: 'use ==, in, startsWith, endsWith or contains; a regular expression can take for ever',
  lowerAscii: 'compare names as they are; each has one spelling',
  map: 'use exists, all or filter',
  bind: 'write the value where it is used',
}

/** Something that conditions may not use. */
export class OutsideSubset extends Error {
  override readonly name = 'OutsideSubset'
  /** Where it is in the text. */
  readonly offset: number

  constructor(message: string, { pos }: ASTNode) {
    super(message)
    this.offset = pos
  }
}

/** Names that `exists` and the like have bound. */
type Bound = ReadonlySet<string>

/** The most steps that an evaluation takes. @throws {OutsideSubset} at the first node that conditions may not use */
export function stepsOf(node: ASTNode, bound: Bound = new Set()): number {
  const all = (nodes: readonly ASTNode[]) => nodes.reduce((sum, each) => sum + stepsOf(each, bound), 1)
  switch (node.op) {
    case 'value':
      return 1
    case 'id':
      return checkVariable(node.args, node, bound)
    case '.':
      return stepsOf(node.args[0], bound) + checkField(node.args, node)
    case '[]':
      if (!isLabels(node.args[0])) throw new OutsideSubset('only claimed.labels can be indexed', node)
      return all(node.args)
    case '!_':
      return all([node.args])
    case 'list':
    case '?:':
    case '&&':
    case '||':
      return all(node.args)
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return all(node.args) + (node.args.some(isLabels) ? MAX_LABELS : TEXT_STEPS)
    case 'in':
      return all(node.args) + itemsOf(node.args[1])
    case 'call':
      return checkCall(node.args[0], node) + all(node.args[1])
    case 'rcall':
      return stepsOfMethod(node, node.args, bound)
    default:
      throw new OutsideSubset(`conditions may not use ${node.op.replace(/_$/, '')}`, node)
  }
}

function checkVariable(name: string, node: ASTNode, bound: Bound): number {
  if (bound.has(name) || VARIABLES.some((variable) => variable.name === name)) return 1
  const known = VARIABLES.map((variable) => variable.name).join(', ')
  throw new OutsideSubset(`there is no variable ${name}; there are ${known}`, node)
}

/** A field of an identity or of the claims, or a label. */
function checkField([of, field]: readonly [ASTNode, string], node: ASTNode): number {
  if (isLabels(of)) return 1
  const type = of.op === 'id' ? VARIABLES.find(({ name }) => name === of.args)?.type : undefined
  const fields = type === 'Identity' ? IDENTITY_FIELDS : type === 'Claims' ? CLAIMS_FIELDS : {}
  if (Object.hasOwn(fields, field)) return 1
  const known = Object.keys(fields).join(', ')
  throw new OutsideSubset(`there is no field ${field}${known === '' ? '' : `; there are ${known}`}`, node)
}

function checkCall(name: string, node: ASTNode): number {
  if (name === 'has' || FUNCTIONS.has(name)) return TEXT_STEPS
  const known = ['has', ...FUNCTIONS, ...QUANTIFIERS].join(', ')
  const instead = Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : `there are ${known}`
  throw new OutsideSubset(`conditions may not call ${name}: ${instead}`, node)
}

type MethodArgs = readonly [string, ASTNode, readonly ASTNode[]]

function stepsOfMethod(node: ASTNode, [name, receiver, args]: MethodArgs, bound: Bound): number {
  const [item, predicate] = args
  if (!QUANTIFIERS.has(name)) {
    return args.reduce((sum, each) => sum + stepsOf(each, bound), checkCall(name, node) + stepsOf(receiver, bound))
  }
  if (item?.op !== 'id' || predicate === undefined) {
    throw new OutsideSubset(`${name} takes a name and a condition`, node)
  }
  if (VARIABLES.some((variable) => variable.name === item.args)) {
    throw new OutsideSubset(`${item.args} is a variable: give the item of ${name} another name`, item)
  }
  return stepsOf(receiver, bound) + itemsOf(receiver) * stepsOf(predicate, new Set([...bound, item.args]))
}

/** The most items that a list or map can have. */
function itemsOf(node: ASTNode): number {
  if (node.op === 'list') return node.args.length
  if (isLabels(node)) return MAX_LABELS
  if (node.op === 'rcall' && node.args[0] === 'filter') return itemsOf(node.args[1])
  throw new OutsideSubset('this must be claimed.labels, or a list that is written out', node)
}

function isLabels(node: ASTNode): boolean {
  return node.op === '.' && node.args[1] === 'labels' && node.args[0].op === 'id' && node.args[0].args === 'claimed'
}
