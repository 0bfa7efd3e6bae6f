import { createHash } from 'node:crypto'
import type { authorityV1 } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import type { Bundles } from '../../identity/index.ts'
import { type Exports, nodeId } from '../../policy/index.ts'
import type { Command, Database, Query } from '../../store/index.ts'
import type { Introduction } from '../joining/introduction.ts'
import { ExportTable } from './exports.ts'
import { DomainTable, type JoinedDomain } from './joined-domains.ts'
import { NodeTable } from './nodes.ts'

export interface TrustOptions {
  readonly database: Database
  readonly domain: string
  /** DER certificates of this domain's authority, newest first. */
  readonly authorities: readonly Uint8Array[]
  /** host:port where other domains and nodes reach this registry. */
  readonly addresses: readonly string[]
  readonly clock: Clock
}

/** What the tables say, read once per change. */
interface Reading {
  readonly revision: number
  readonly domains: ReadonlyMap<string, JoinedDomain>
  readonly exports: Exports
  readonly revoked: ReadonlySet<string>
  readonly bundles: Bundles
}

/**
 * Whom this domain trusts: its own authority, the domains that joined, what is exported to each, the nodes that were
 * expelled. Everything that decides on trust asks here, and hears of each change after it is durable.
 */
export class Trust {
  readonly domain: string
  readonly domains: DomainTable
  readonly exported: ExportTable
  readonly nodes: NodeTable
  /** What this domain says of itself to others. */
  readonly introduction: Introduction
  readonly #options: TrustOptions
  readonly #advance: Command
  readonly #revision: Query<number>
  readonly #listeners = new Set<() => void>()
  #reading: Reading

  constructor(options: TrustOptions) {
    const { database } = options
    this.#options = options
    this.domain = options.domain
    this.domains = new DomainTable(database)
    this.exported = new ExportTable(database)
    this.nodes = new NodeTable(database)
    this.#advance = database.command('UPDATE federation_trust SET revision = revision + 1')
    this.#revision = database.query('SELECT revision FROM federation_trust', (row) => row.integer('revision'))
    this.introduction = introduce(options)
    this.#reading = this.#read()
  }

  /**
   * Changes the tables in one transaction, and tells everybody when it is durable. What `body` throws undoes it all.
   */
  change<T>(body: () => T): T {
    const result = this.#options.database.transaction(() => {
      this.#advance.run()
      return body()
    })
    this.#reading = this.#read()
    for (const listener of [...this.#listeners]) listener()
    return result
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Yields once at once, and once after each change, or after several that came faster than they are read. */
  async *changes(signal: AbortSignal): AsyncGenerator<void> {
    let wake = () => {}
    let isChanged = true
    const note = () => {
      isChanged = true
      wake()
    }
    const unsubscribe = this.subscribe(note)
    signal.addEventListener('abort', note, { once: true })
    try {
      while (!signal.aborted) {
        if (isChanged) {
          isChanged = false
          yield
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      unsubscribe()
      signal.removeEventListener('abort', note)
    }
  }

  joined(): readonly JoinedDomain[] {
    return [...this.#reading.domains.values()]
  }

  isJoined(domain: string): boolean {
    return this.#reading.domains.has(domain)
  }

  exports(): Exports {
    return this.#reading.exports
  }

  bundles(): Bundles {
    return this.#reading.bundles
  }

  /** Whether `spiffeId` is of an expelled node, or of a workload on one. */
  isRevoked(spiffeId: string): boolean {
    const node = spiffeId.split('/', 5).join('/') // spiffe://<domain>/node/<name>
    return this.#reading.revoked.has(node)
  }

  state(): authorityV1.TrustState {
    const { revision, domains, exports, revoked } = this.#reading
    return {
      revision: BigInt(revision),
      trustDomain: this.domain,
      authorities: this.#options.authorities.map((der) => Buffer.from(der)),
      domains: [...domains.values()].map(({ domain, authorities }) => ({
        trustDomain: domain,
        authorities: authorities.map((der) => Buffer.from(der)),
        exportedServices: [...(exports.get(domain) ?? [])],
      })),
      revoked: [...revoked],
    }
  }

  #read(): Reading {
    const domains = this.domains.all()
    const expelled = this.nodes.all().filter(({ revokedMs }) => revokedMs !== undefined)
    return {
      revision: this.#revision.get() ?? 0,
      domains: new Map(domains.map((domain) => [domain.domain, domain])),
      exports: this.exported.exportsTo(domains.map(({ domain }) => domain)),
      revoked: new Set(expelled.map(({ name }) => nodeId(this.domain, name))),
      bundles: new Map([
        ...domains.map(({ domain, authorities }) => [domain, authorities] as const),
        [this.domain, this.#options.authorities],
      ]),
    }
  }
}

/**
 * The revision is the time of the last change, and greater than the one before: it keeps growing over a loss of all
 * state, where a counter would begin again and be refused by everybody who saw a greater one.
 */
function introduce({ database, domain, authorities, addresses, clock }: TrustOptions): Introduction {
  const hash = createHash('sha256').update(JSON.stringify(addresses))
  for (const der of authorities) hash.update(der)
  const digest = hash.digest('base64url')
  const last = database
    .query('SELECT revision, digest FROM federation_introduction', (row) => ({
      revision: row.integer('revision'),
      digest: row.text('digest'),
    }))
    .get()
  if (last?.digest === digest) return { domain, addresses, authorities, revision: last.revision }
  const revision = Math.max((last?.revision ?? 0) + 1, Math.floor(clock.nowMs()))
  database.transaction(() => {
    database.command('DELETE FROM federation_introduction').run()
    database.command('INSERT INTO federation_introduction (revision, digest) VALUES (?, ?)').run(revision, digest)
  })
  return { domain, addresses, authorities, revision }
}
