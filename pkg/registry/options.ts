import type { Clock, Logger } from '../base/index.ts'
import type { OtherDomains } from './other-domains.ts'
import type { RegistryStore } from './store.ts'
import type { ExportSource } from './view.ts'

/** What both registries of a domain are made of. */
export interface RegistryOptions {
  readonly domain: string
  readonly store: RegistryStore
  readonly exports: ExportSource
  readonly others: OtherDomains
  readonly clock: Clock
  readonly logger: Logger
}
