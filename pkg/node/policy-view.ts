/** What an operator can ask of a node's policy: why it decides as it does, and what another one would change. */
import { trustDomainOf } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { ConnectionRecord } from '../connections/index.ts'
import {
  type Decision,
  isAdmitted,
  loadPolicy,
  mayRequest,
  type PolicySource,
  type Question,
  type RuleFinding,
  RulePolicy,
  type SourceText,
} from '../policy/index.ts'
import { type TrustParts, whyDenied } from './supervision/end-untrusted.ts'

export interface PolicyViewOptions extends TrustParts {
  readonly policy: PolicySource
  readonly table: { all(): Iterable<ConnectionRecord> }
}

export interface Explanation {
  readonly decision: Decision
  readonly findings: readonly RuleFinding[]
}

/** A wire that would be closed. */
export interface DeniedWire {
  readonly record: ConnectionRecord
  readonly reason: string
}

export interface PolicyDiff {
  readonly closed: readonly DeniedWire[]
  readonly kept: number
}

export class PolicyView {
  readonly #options: PolicyViewOptions

  constructor(options: PolicyViewOptions) {
    this.#options = options
  }

  /** As this node would decide. @throws {NsmError} when the question cannot be weighed */
  explain(asked: Omit<Question, 'isAllowedByDefault'>): Explanation {
    const policy = this.#options.policy.current()
    const question = { ...asked, isAllowedByDefault: this.#isAllowedByDefault(asked) }
    const findings = policy instanceof RulePolicy ? policy.findings(question) : []
    return { decision: policy.decide(question), findings }
  }

  /** Which wires of this node another policy would close. @throws {NsmError} `invalid_argument` with every mistake in it */
  diff(sources: readonly SourceText[]): PolicyDiff {
    const { domain, table } = this.#options
    if (sources.length === 0) {
      throw new NsmError('invalid_argument', 'Cannot compare the policy: no file is given')
    }
    const policy = loadPolicy(sources, domain)
    const records = [...table.all()]
    const closed = records.flatMap((record) => {
      const reason = whyDenied(record, policy, this.#options)
      return reason === undefined ? [] : [{ record, reason }]
    })
    return { closed, kept: records.length - closed.length }
  }

  /** Who is an administrator, only the kernel can say: without its word, nobody is. */
  #isAllowedByDefault(asked: Omit<Question, 'isAllowedByDefault'>): boolean {
    const { action, caller, service = '' } = asked
    const { domain: ownDomain, trust } = this.#options
    if (action === 'administer' || action === 'route') return false
    const callerDomain = trustDomainOf(caller)
    if (action === 'federate' || callerDomain === ownDomain) return true
    if (action === 'serve' || !mayRequest({ callerDomain, ownDomain, service, exports: trust.exports() })) return false
    return action === 'watch' || isAdmitted(trust.exportConditions(), { ...asked, isAllowedByDefault: true }, ownDomain)
  }
}
