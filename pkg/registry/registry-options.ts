import type { Clock, KeyedQueue, Logger } from '../base/index.ts'
import type { PolicySource } from '../policy/index.ts'
import type { ExportSource } from './find/caller-view.ts'
import type { SearchTurns } from './find/search-turns.ts'
import type { OtherDomains } from './other-domains/other-domains.ts'
import type { Claims } from './rules/claims.ts'
import type { RegistryStore } from './store/registry-store.ts'

/** The nodes of the domain: where each is called, and for whom it speaks. */
export interface RegisteringNodes {
  /** @throws {NsmError} `permission_denied` when `url` is not where the node with this SPIFFE ID is called. */
  check(spiffeId: string, url: string): Promise<void>
  /** @throws {NsmError} `permission_denied` when the node speaks for a workload that is known not to be there. */
  checkWorkload(workload: string, node: string): Promise<void>
}

/** What both registries of a domain need. */
export interface RegistryOptions {
  readonly domain: string
  readonly store: RegistryStore
  readonly exports: ExportSource
  readonly policy: PolicySource
  readonly others: OtherDomains
  readonly nodes: RegisteringNodes
  readonly claims: Claims
  /** Of both registries: who may serve a service is compared and written in one step. */
  readonly queue: KeyedQueue
  /** Of both registries, too. */
  readonly turns: SearchTurns
  readonly clock: Clock
  readonly logger: Logger
}
