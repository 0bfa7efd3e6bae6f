/** The policy of a node at the protobuf border. */
import type { nodeV1 } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { ACTIONS, type Finding, type Question, type SourceText } from '../policy/index.ts'
import type { DeniedWire, Explanation, PolicyDiff } from './policy-view.ts'

/** @throws {NsmError} `invalid_argument` for an action that no policy knows */
export function questionFromProto(message: nodeV1.PolicyQuestion): Omit<Question, 'isAllowedByDefault'> {
  const { networkService: service, client, labels, ...plain } = message
  const action = ACTIONS.find((each) => each === message.action)
  if (action !== undefined) {
    return { ...plain, action, service, client: client || undefined, labels: Object.fromEntries(labels) }
  }
  throw new NsmError('invalid_argument', 'Cannot decide the question: its action is unknown', {
    fields: { action: message.action.slice(0, 64) },
    next: `use one of ${ACTIONS.join(', ')}`,
  })
}

export function explanationToProto({ decision, findings }: Explanation): nodeV1.PolicyAnswer {
  const { isAllowed: allowed, rule, reason } = decision
  const shown = findings.map(({ rule: each, finding }) => ({
    rule: each.name,
    effect: each.effect,
    finding: findingText(finding),
  }))
  return { allowed, rule, reason, findings: shown }
}

export function sourcesFromProto({ files }: nodeV1.DiffPolicyRequest): readonly SourceText[] {
  return files
}

export function diffToProto({ closed, kept }: PolicyDiff): nodeV1.DiffPolicyResponse {
  return { closed: closed.map(closedWire), kept }
}

function closedWire({ record, reason }: DeniedWire): nodeV1.ClosedWire {
  const { id, identities, connection } = record
  const { networkService, endpointName: endpoint } = connection
  return { id, networkService, endpoint, clientIdentity: identities[0] ?? '', reason }
}

function findingText(finding: Finding): string {
  if (finding.at === 'no-answer') return `no answer: ${finding.problem}`
  return finding.at === 'holds' ? 'holds' : 'does not hold'
}
