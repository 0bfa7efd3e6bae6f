import { loadPolicy } from '../file/load-policy.ts'
import { type Policy, type PolicySource, withoutPolicy } from '../policy-source.ts'

/** A policy from the text of a file. */
export function policyOf(text: string, domain = 'west'): Policy {
  return loadPolicy([{ path: 'policy.yaml', text }], domain)
}

/** A source whose policy the test changes. */
export class TestPolicies implements PolicySource {
  readonly #listeners = new Set<() => void>()
  readonly #domain: string
  #policy = withoutPolicy.current()

  constructor(domain = 'west') {
    this.#domain = domain
  }

  current(): Policy {
    return this.#policy
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  change(text: string): void {
    this.#policy = policyOf(text, this.#domain)
    for (const listener of this.#listeners) listener()
  }
}
