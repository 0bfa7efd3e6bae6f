/**
 * A policy decided the slow and obvious way, to compare the real one with: conditions are trees, answers are true, false
 * or none, and every rule is looked at for every question.
 */
import { trustDomainOf } from '../../api/index.ts'
import type { Question } from '../question.ts'

/** A condition as a tree, which is written as CEL and evaluated on its own. */
export type Tree =
  | { readonly op: 'is'; readonly variable: Variable; readonly value: string }
  | { readonly op: 'in'; readonly variable: Variable; readonly values: readonly string[] }
  | { readonly op: 'begins'; readonly variable: Variable; readonly value: string }
  | { readonly op: 'label'; readonly key: string; readonly value: string }
  | { readonly op: 'has'; readonly key: string }
  | { readonly op: 'and' | 'or'; readonly left: Tree; readonly right: Tree }
  | { readonly op: 'not'; readonly tree: Tree }

export type Variable =
  | 'service'
  | 'endpoint'
  | 'client.id'
  | 'client.domain'
  | 'client.uid'
  | 'caller.domain'
  | 'domain'

export interface ReferenceRule {
  readonly name: string
  readonly effect: 'allow' | 'deny'
  readonly actions: readonly string[]
  readonly tree: Tree
}

/** Undefined: no answer. */
type Answer = boolean | undefined

export function toCel(tree: Tree): string {
  switch (tree.op) {
    case 'is':
      return `${tree.variable} == ${JSON.stringify(tree.value)}`
    case 'in':
      return `${tree.variable} in [${tree.values.map((value) => JSON.stringify(value)).join(', ')}]`
    case 'begins':
      return `${tree.variable}.startsWith(${JSON.stringify(tree.value)})`
    case 'label':
      return `claimed.labels[${JSON.stringify(tree.key)}] == ${JSON.stringify(tree.value)}`
    case 'has':
      return `${JSON.stringify(tree.key)} in claimed.labels`
    case 'not':
      return `!(${toCel(tree.tree)})`
    case 'and':
      return `(${toCel(tree.left)}) && (${toCel(tree.right)})`
    case 'or':
      return `(${toCel(tree.left)}) || (${toCel(tree.right)})`
  }
}

/** @returns whether it is allowed, and by which rule; empty for none */
export function decideByReference(rules: readonly ReferenceRule[], question: Question, domain: string) {
  const told = rules
    .filter(({ actions }) => actions.includes(question.action))
    .map((rule) => ({ rule, answer: evaluate(rule.tree, question, domain) }))
  const denying = told.find(({ rule, answer }) => rule.effect === 'deny' && answer !== false)
  if (denying !== undefined) return { isAllowed: false, rule: denying.rule.name }
  const isOwn = trustDomainOf(question.caller) === domain || ['federate', 'route'].includes(question.action)
  const allowing = told.find(({ rule, answer }) => rule.effect === 'allow' && answer === true)
  if (isOwn && allowing !== undefined) return { isAllowed: true, rule: allowing.rule.name }
  return { isAllowed: question.isAllowedByDefault, rule: '' }
}

function evaluate(tree: Tree, question: Question, domain: string): Answer {
  const { labels = {} } = question
  switch (tree.op) {
    case 'is':
      return textOf(tree.variable, question, domain) === tree.value
    case 'in':
      return tree.values.includes(textOf(tree.variable, question, domain))
    case 'begins':
      return textOf(tree.variable, question, domain).startsWith(tree.value)
    case 'label':
      return Object.hasOwn(labels, tree.key) ? labels[tree.key] === tree.value : undefined
    case 'has':
      return Object.hasOwn(labels, tree.key)
    case 'not': {
      const answer = evaluate(tree.tree, question, domain)
      return answer === undefined ? undefined : !answer
    }
    default: {
      const sides = [evaluate(tree.left, question, domain), evaluate(tree.right, question, domain)]
      const decisive = tree.op === 'or'
      if (sides.includes(decisive)) return decisive
      return sides.includes(undefined) ? undefined : !decisive
    }
  }
}

function textOf(variable: Variable, question: Question, domain: string): string {
  const { caller, client = caller, service = '', endpoint = '' } = question
  switch (variable) {
    case 'service':
      return service
    case 'endpoint':
      return endpoint
    case 'domain':
      return domain
    case 'client.id':
      return client
    case 'client.domain':
      return client.slice('spiffe://'.length).split('/')[0] ?? ''
    case 'caller.domain':
      return caller.slice('spiffe://'.length).split('/')[0] ?? ''
    case 'client.uid':
      return /^spiffe:\/\/[^/]+\/node\/[^/]+\/uid\/([^/]+)/.exec(client)?.[1] ?? ''
  }
}
