import type { authorityV1 } from '../../api/index.ts'
import { type Clock, Listeners } from '../../base/index.ts'
import type { Bundles } from '../../identity/index.ts'
import type { Reach } from '../../net/index.ts'
import {
  checkAllowed,
  type Exports,
  federateQuestion,
  isRevokedBy,
  nodeId,
  type PolicySource,
  withoutPolicy,
} from '../../policy/index.ts'
import type { DomainRecord, Introduction, TrustRecord } from '../store/trust-record.ts'
import { changes } from './changes.ts'
import { exportConditionsOf, exportsOf } from './exports.ts'
import { introduceSelf } from './introduce-self.ts'
import { type IntroductionRules, revokedOf } from './introduction.ts'
import { LONGEST_SVID_MS } from './nodes.ts'
import type { RecordChange, TrustRecords } from './trust-records.ts'

export interface TrustOptions {
  readonly records: TrustRecords
  readonly domain: string
  /** DER certificates of this domain's authority, newest first. */
  readonly authorities: readonly Uint8Array[]
  /** host:port where other domains and nodes reach this registry. */
  readonly addresses: readonly string[]
  /** Which addresses other domains may give us to call. */
  readonly reach: Reach
  readonly policy?: PolicySource
  /** How long an identity of this domain lives at most: so long others hear of a revoked node. An hour unless told. */
  readonly longestIdentityMs?: number
  readonly clock: Clock
}

/** How far the clocks of two domains may be apart. */
const CLOCKS_MS = 5 * 60_000

/** What the records mean, computed once per change: requests read it. */
interface Reading {
  /** Of the records when the reading last changed. */
  readonly revision: number
  readonly domains: ReadonlyMap<string, DomainRecord>
  readonly exports: Exports
  /** By domain and service, for whom the exports are that are not for everybody. */
  readonly exportedWhen: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** SPIFFE IDs of nodes, also of those of other domains. */
  readonly revoked: ReadonlySet<string>
  readonly bundles: Bundles
}

/**
 * Whom this domain trusts: its own authority, the domains that have joined, what is exported to each of them, and which
 * nodes are revoked. Everything that decides on trust asks here, and is notified of each change after it is durable.
 */
export class Trust {
  readonly domain: string
  readonly records: TrustRecords
  readonly #clock: Clock
  readonly #reach: Reach
  readonly #policy: PolicySource
  readonly #longestIdentityMs: number
  readonly #listeners = new Listeners<[]>()
  readonly #unsubscribe: (() => void)[]
  #introduction: Omit<Introduction, 'revoked'>
  #reading: Reading

  private constructor(options: TrustOptions, introduction: Omit<Introduction, 'revoked'>) {
    const { domain, records, reach, policy = withoutPolicy, longestIdentityMs = LONGEST_SVID_MS, clock } = options
    this.domain = domain
    this.records = records
    this.#clock = clock
    this.#introduction = introduction
    this.#reach = reach
    this.#policy = policy
    this.#longestIdentityMs = longestIdentityMs
    this.#reading = this.#read()
    this.#unsubscribe = [
      records.subscribe((changes) => changes.some(changesTrust) && this.#readAgain()),
      policy.subscribe(() => this.#readAgain()),
    ]
  }

  static async open(options: TrustOptions): Promise<Trust> {
    return new Trust(options, await introduceSelf(options))
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  /** The authority of this domain has changed, where another agent has it. Nodes and other domains are told. */
  async setAuthorities(authorities: readonly Uint8Array[]): Promise<void> {
    const { domain, records } = this
    const { addresses } = this.#introduction
    this.#introduction = await introduceSelf({ records, domain, authorities, addresses, clock: this.#clock })
    this.#readAgain()
  }

  /** Yields at once, and then once per change. */
  changes(signal: AbortSignal): AsyncGenerator<void> {
    return changes((onChange) => this.subscribe(onChange), signal)
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** What this domain says of itself to others. */
  get introduction(): Introduction {
    const sinceMs = this.#clock.nowMs() - this.#longestIdentityMs - CLOCKS_MS
    const lately = this.records.all('node').filter(({ revokedMs }) => revokedMs !== undefined && revokedMs > sinceMs)
    return { ...this.#introduction, revoked: revokedOf(lately.map(({ name }) => name)) }
  }

  /** What the introductions of other domains are judged by. */
  introductionRules(nowMs: number): IntroductionRules {
    return { reach: this.#reach, ownAddresses: this.#introduction.addresses, nowMs }
  }

  joined(): readonly DomainRecord[] {
    return [...this.#reading.domains.values()]
  }

  joinedDomain(domain: string): DomainRecord | undefined {
    return this.#reading.domains.get(domain)
  }

  /** What operators have exported, as far as the policy lets this domain share it. */
  exports(): Exports {
    return this.#reading.exports
  }

  /** What one domain gets: for everybody there, and for some. */
  exportsTo(domain: string): { readonly exportedServices: string[]; readonly exportedWhen: Map<string, string> } {
    const { exports, exportedWhen } = this.#reading
    const shared = [...(exports.get(domain) ?? [])]
    const conditions = [...(exportedWhen.get(domain) ?? [])].filter(([service]) => shared.includes(service))
    const some = new Map(conditions)
    return { exportedServices: shared.filter((service) => !some.has(service)), exportedWhen: some }
  }

  bundles(): Bundles {
    return this.#reading.bundles
  }

  /** Whether `spiffeId` is that of a revoked node, or of a workload on one. */
  isRevoked(spiffeId: string): boolean {
    return isRevokedBy(this.#reading.revoked, spiffeId)
  }

  /** @throws {NsmError} `permission_denied` when the policy does not let this domain share the service with that one */
  checkMayFederate(domain: string, service?: string): void {
    checkAllowed(this.#policy, federateQuestion(domain, service))
  }

  /** What the nodes of this domain are told. */
  state(): authorityV1.TrustState {
    const { revision, domains, revoked } = this.#reading
    return {
      revision: BigInt(revision),
      trustDomain: this.domain,
      authorities: this.#introduction.authorities.map((der) => Buffer.from(der)),
      domains: [...domains.values()].map(({ name, introduction }) => ({
        trustDomain: name,
        authorities: introduction.authorities.map((der) => Buffer.from(der)),
        ...this.exportsTo(name),
      })),
      revoked: [...revoked],
      continues: false,
      diskProblem: '',
      namesake: '',
      aheadMs: 0n,
    }
  }

  #readAgain(): void {
    this.#reading = this.#read()
    this.#listeners.tell()
  }

  #allowed(exports: Exports): Exports {
    const policy = this.#policy.current()
    const isAllowed = (domain: string, service: string) => policy.decide(federateQuestion(domain, service)).isAllowed
    return new Map(
      [...exports].map(([domain, services]) => [
        domain,
        new Set([...services].filter((service) => isAllowed(domain, service))),
      ]),
    )
  }

  #read(): Reading {
    const domains = this.records.all('domain')
    const revoked = this.records.all('node').filter(isRevoked)
    const elsewhere = domains.flatMap(({ name, introduction }) =>
      introduction.revoked.map((node) => nodeId(name, node)),
    )
    return {
      revision: this.records.revision,
      domains: new Map(domains.map((domain) => [domain.name, domain])),
      exports: this.#allowed(exportsOf(this.records)),
      exportedWhen: exportConditionsOf(this.records),
      revoked: new Set([...revoked.map(({ name }) => nodeId(this.domain, name)), ...elsewhere]),
      bundles: new Map([
        ...domains.map(({ name, introduction }) => [name, introduction.authorities] as const),
        [this.domain, this.#introduction.authorities],
      ]),
    }
  }
}

/** Invitations and renewals change records, and nothing that anybody is told. */
function changesTrust({ before, after }: RecordChange): boolean {
  const { kind } = after ?? before ?? { kind: 'self' }
  return kind === 'domain' || kind === 'self' || isRevoked(before) !== isRevoked(after)
}

function isRevoked(record: TrustRecord | undefined): boolean {
  return record?.kind === 'node' && record.revokedMs !== undefined
}
