/** The policy in force, now and as it changes. */
import { NsmError } from '../base/index.ts'
import type { Action, Decision, Question } from './question.ts'

export interface Policy {
  decide(question: Question): Decision
}

export interface PolicySource {
  current(): Policy
  /** Calls back after each change. Returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void
}

/** Where no policy is configured: what holds by default holds. */
export const withoutPolicy: PolicySource = {
  current: () => ({ decide: defaultDecision }),
  subscribe: () => () => {},
}

export function defaultDecision({ isAllowedByDefault: isAllowed }: Question): Decision {
  return { isAllowed, rule: '', reason: isAllowed ? 'no rule denies it' : 'no rule allows it' }
}

/** @throws {NsmError} `permission_denied` with the rule that denies it. */
export function checkAllowed(policy: PolicySource, question: Question): void {
  const decision = policy.current().decide(question)
  if (!decision.isAllowed) throw denied(question, decision)
}

function denied(question: Question, { rule, reason }: Decision): NsmError {
  const { action, caller, client = caller, service = '', operation = '' } = question
  return new NsmError('permission_denied', DENIED[action], {
    fields: {
      client,
      networkService: service || undefined,
      operation: operation || undefined,
      rule: rule || undefined,
      reason,
    },
    next: `see which rule decides, as an administrator: nsmctl policy why ${action} ${client} ${service || operation}`,
  })
}

const DENIED: Readonly<Record<Action, string>> = {
  request: 'Cannot request the network service: no sufficient privileges by policy',
  serve: 'Cannot serve the network service: no sufficient privileges by policy',
  watch: 'Cannot watch the network service: no sufficient privileges by policy',
  administer: 'Cannot administer the node: no sufficient privileges by policy',
  federate: 'Cannot share the network service with another domain: no sufficient privileges by policy',
  route: 'Cannot put the prefix on a wire: no sufficient privileges by policy',
}
