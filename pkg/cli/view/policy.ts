/** The columns of the tables about policies. */
import type { nodeV1 } from '../../api/index.ts'
import type { TestResult } from '../../policy/index.ts'
import type { View } from '../output.ts'

export const policyTests: View<TestResult> = {
  plural: 'tests',
  columns: [
    { title: 'RESULT', text: ({ isPassed }) => (isPassed ? 'passed' : 'FAILED') },
    { title: 'TEST', text: ({ test }) => test.name },
    { title: 'EXPECTED', text: ({ test }) => [test.expected, test.rule].filter((part) => part).join(' by ') },
    { title: 'DECIDED', text: ({ decision }) => (decision.isAllowed ? 'allow' : 'deny') },
    { title: 'BY', text: ({ decision }) => decision.rule || 'default' },
    { title: 'AT', text: ({ test: { place } }) => `${place.path}:${place.line}` },
    { title: 'REASON', text: ({ decision }) => decision.reason, isWide: true },
  ],
}

export const ruleFindings: View<nodeV1.RuleFinding> = {
  plural: 'rules',
  columns: [
    { title: 'RULE', text: ({ rule }) => rule },
    { title: 'EFFECT', text: ({ effect }) => effect },
    { title: 'CONDITION', text: ({ finding }) => finding },
  ],
}

export const closedWires: View<nodeV1.ClosedWire> = {
  plural: 'wires',
  columns: [
    { title: 'ID', text: ({ id }) => id },
    { title: 'SERVICE', text: ({ networkService }) => networkService },
    { title: 'CLIENT', text: ({ clientIdentity }) => clientIdentity },
    { title: 'ENDPOINT', text: ({ endpoint }) => endpoint, isWide: true },
    { title: 'REASON', text: ({ reason }) => reason },
  ],
}
