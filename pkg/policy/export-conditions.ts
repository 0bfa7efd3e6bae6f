/** Exports that are not for everybody in the other domain: a condition says for whom. */
import { trustDomainOf } from '../api/index.ts'
import { type Condition, ConditionError, compileCondition } from './condition/condition.ts'
import { factsOf } from './condition/facts.ts'
import type { Question } from './question.ts'

/** By domain, then service. A service that is not in it is for everybody in the domain. */
export type ExportConditions = ReadonlyMap<string, ReadonlyMap<string, Condition>>

const MAX_CHARS = 1_024
/** As much as a whole decision may cost. */
const MAX_STEPS = 10_000

/** What a broken condition becomes: it admits nobody. */
const NOBODY = compileCondition('false')

/** @throws {ConditionError} when the text is not the condition of an export */
export function checkExportCondition(text: string): void {
  if (text.length > MAX_CHARS) throw new ConditionError(`it is longer than ${MAX_CHARS} characters`, MAX_CHARS)
  const { steps } = compileCondition(text)
  if (steps > MAX_STEPS) throw new ConditionError(`it takes up to ${steps} steps; at most ${MAX_STEPS} are allowed`, 0)
}

/** @param texts by service */
export function compileExportConditions(texts: Iterable<readonly [string, string]>): ReadonlyMap<string, Condition> {
  return new Map([...texts].map(([service, text]) => [service, compileOrNobody(text)]))
}

/** Whether the export is for this client. A condition that has no answer admits nobody. */
export function isAdmitted(conditions: ExportConditions, question: Question, ownDomain: string): boolean {
  const { caller, service = '' } = question
  const condition = conditions.get(trustDomainOf(caller))?.get(service)
  try {
    return condition === undefined || condition.holds(factsOf(question, ownDomain))
  } catch {
    return false
  }
}

/** The condition of an export to these workloads alone. */
export function forClients(spiffeIds: readonly string[]): string {
  return `client.id in [${spiffeIds.map((id) => JSON.stringify(id)).join(', ')}]`
}

/** Of a service that is exported twice: for whom one of the exports is. */
export function eitherCondition(one: string, other: string): string {
  return `(${one}) || (${other})`
}

function compileOrNobody(text: string): Condition {
  try {
    return compileCondition(text)
  } catch {
    return NOBODY
  }
}
