/** Asks the policy, once everything about the wire is known and before the endpoint hears of it. */
import type { Connection } from '../api/index.ts'
import type { Step } from '../base/index.ts'
import { requestQuestion, serveQuestion } from '../connections/index.ts'
import { checkAllowed, type ExportConditions, type Exports, type PolicySource } from '../policy/index.ts'
import type { LocalEndpoint } from './candidates.ts'
import type { Asking, Self } from './parts.ts'
import type { SelectedClientEnd } from './select-client-end.ts'
import type { Chosen } from './select-endpoint.ts'

export interface PolicyParts {
  readonly self: Self
  readonly policy: PolicySource
  /** Our services that other domains may request at this moment. */
  exports(): Exports
  exportConditions(): ExportConditions
  local(endpoint: string): LocalEndpoint | undefined
}

/** A refusal counts for the endpoint that was chosen: another one may be allowed. */
export function checkPolicy({
  self,
  policy,
  exports,
  exportConditions,
  local,
}: PolicyParts): Step<Asking & SelectedClientEnd & Chosen, object, Connection> {
  return async function checkPolicy({ connection, call, identities, clientEnd, target, payload }, next) {
    const asked = { ...connection, mechanism: clientEnd.mechanism, payload }
    const wanted = { owner: call.peer.spiffeId, identities, connection: asked, target }
    checkAllowed(
      policy,
      requestQuestion(wanted, {
        domain: self.domain,
        exports: exports(),
        exportConditions: exportConditions(),
      }),
    )
    const serving = serveQuestion(wanted, local(target.endpoint))
    if (serving !== undefined) checkAllowed(policy, serving)
    return next({})
  }
}
