/** What the policy of this node lets on one wire that no wire has by default. It is asked for nothing else. */
import { routeQuestion, type Wanted } from '../connections/index.ts'
import type { PrefixExceptions } from '../net/index.ts'
import type { PolicySource } from '../policy/index.ts'
import type { Self } from './parts.ts'

/** Each is a decision: whoever answers with thousands of prefixes does not keep this node busy. */
const MOST = 64

export class RouteExceptions implements PrefixExceptions {
  readonly #policy: PolicySource
  readonly #self: Self
  readonly #wanted: Wanted
  readonly #answers = new Map<string, boolean>()

  constructor({ policy, self }: { readonly policy: PolicySource; readonly self: Self }, wanted: Wanted) {
    this.#policy = policy
    this.#self = self
    this.#wanted = wanted
  }

  /** What was asked for and is allowed. */
  get allowed(): readonly string[] {
    return [...this.#answers].filter(([, isAllowed]) => isAllowed).map(([prefix]) => prefix)
  }

  isAllowed(prefix: string): boolean {
    const known = this.#answers.get(prefix)
    if (known !== undefined || this.#answers.size >= MOST) return known ?? false
    const { isAllowed } = this.#policy.current().decide(routeQuestion(this.#wanted, prefix))
    this.#answers.set(prefix, isAllowed)
    return isAllowed
  }

  advice(prefix: string): string {
    const when = JSON.stringify(`service == '${this.#wanted.connection.networkService}'`)
    const rule = `{name: route-${prefix.replaceAll(/[^0-9a-f]+/g, '-')}, effect: allow, actions: [route], prefixes: ["${prefix}"], when: ${when}}`
    const { name, domain } = this.#self
    return `give the endpoint other prefixes, or allow it on the node ${name} of ${domain} by a rule in a file of NSM_POLICY: ${rule}`
  }
}
