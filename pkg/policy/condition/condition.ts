/** Conditions: a part of CEL, type-checked before it is ever evaluated. */
import {
  Environment,
  EvaluationError,
  ParseError,
  type ParseResult,
  TypeError as TypingError,
} from '@marcbachmann/cel-js'
import { describeError } from '../../base/index.ts'
import { type Facts, PolicyClaims, PolicyIdentity } from './facts.ts'
import { servicesOf } from './service-guard.ts'
import { OutsideSubset, stepsOf } from './subset.ts'
import { IDENTITY_FIELDS, VARIABLES } from './variables.ts'

const MAX_CHARS = 4_096

export interface Condition {
  readonly text: string
  /** The most steps that an evaluation takes. */
  readonly steps: number
  /** The services that it can hold for; undefined for any. */
  readonly services: ReadonlySet<string> | undefined
  /** @throws {Error} when it has no answer, such as for a label that is not there */
  holds(facts: Facts): boolean
}

/** A mistake in a condition, with its place in the text. */
export class ConditionError extends Error {
  override readonly name = 'ConditionError'
  /** Of the first character that is wrong. */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

const environment = makeEnvironment()

/** @throws {ConditionError} */
export function compileCondition(text: string): Condition {
  if (text.length > MAX_CHARS) throw new ConditionError(`it is longer than ${MAX_CHARS} characters`, 0)
  try {
    const parsed = environment.parse(text)
    const steps = stepsOf(parsed.ast)
    checkType(parsed)
    return { text, steps, services: servicesOf(parsed.ast), holds: (facts) => evaluate(parsed, facts) }
  } catch (error) {
    throw toConditionError(error)
  }
}

/** Why a condition had no answer, on one line. */
export function evaluationProblem(error: unknown): string {
  return error instanceof EvaluationError ? error.summary : describeError(error)
}

function evaluate(parsed: ParseResult, facts: Facts): boolean {
  const answer: unknown = parsed({ ...facts, prefix: undefined })
  if (typeof answer === 'boolean') return answer
  throw new ConditionError('its answer is neither true nor false', 0)
}

function checkType(parsed: ParseResult): void {
  const { valid, type, error } = parsed.check()
  if (!valid) throw error
  if (type !== 'bool') throw new ConditionError(`it is a ${type}; it must be true or false`, 0)
}

function toConditionError(error: unknown): unknown {
  if (error instanceof OutsideSubset) return new ConditionError(error.message, error.offset)
  if (error instanceof ParseError || error instanceof TypingError) {
    return new ConditionError(error.summary, error.range?.start ?? 0)
  }
  return error
}

function makeEnvironment(): Environment {
  const limits = { maxAstNodes: 1_000, maxDepth: 32, maxListElements: 500, maxMapEntries: 0, maxCallArguments: 3 }
  const identity = Object.fromEntries(Object.keys(IDENTITY_FIELDS).map((field) => [field, 'string']))
  const declared = new Environment({ unlistedVariablesAreDyn: false, limits })
    .registerType('Identity', { ctor: PolicyIdentity, fields: identity })
    .registerType('Claims', { ctor: PolicyClaims, fields: { labels: 'map<string, string>' } })
  for (const { name, type } of VARIABLES) declared.registerVariable(name, type)
  return declared
}
