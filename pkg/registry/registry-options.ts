import type { Clock, Logger } from '../base/index.ts'
import type { ExportSource } from './find/caller-view.ts'
import type { OtherDomains } from './other-domains/other-domains.ts'
import type { RegistryStore } from './store/registry-store.ts'

/** What both registries of a domain need. */
export interface RegistryOptions {
  readonly domain: string
  readonly store: RegistryStore
  readonly exports: ExportSource
  readonly others: OtherDomains
  readonly clock: Clock
  readonly logger: Logger
}
