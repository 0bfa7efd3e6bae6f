import type { NetworkServiceEndpoint } from '../../api/index.ts'
import type { Query } from '../../store/index.ts'
import type { Change, EndpointRecords, NameRange } from './registry-store.ts'
import { ServedCache } from './served-cache.ts'
import { SqliteRecords, type SqliteRecordsOptions } from './sqlite-records.ts'

/** Of the endpoints of one service that are read at once, and kept. */
const MOST_KEPT = 256

/** Endpoints: unlike services, they can be found by the services that they serve, and they expire. */
export class SqliteEndpoints extends SqliteRecords<NetworkServiceEndpoint> implements EndpointRecords {
  readonly #byService: Query<NetworkServiceEndpoint>
  readonly #owners: Query<string>
  readonly #expired: Query<string>
  readonly #nextExpiry: Query<number | undefined>
  readonly #expiring: Query<NetworkServiceEndpoint>
  readonly #servedBy: Query<string>
  readonly #serve
  readonly #unserve
  readonly #read = new ServedCache()

  constructor(options: SqliteRecordsOptions<NetworkServiceEndpoint>) {
    super(options)
    const { database } = options
    const live = 'is_deleted = 0 AND expires_ms'
    // CROSS: the order of the joins is fixed, so that what a question reads does not grow with other services.
    this.#byService = database.query(
      `SELECT value FROM registry_served CROSS JOIN registry_record ON name = endpoint
       WHERE service = ? AND endpoint > ? AND kind = 'endpoint' AND is_deleted = 0 ORDER BY endpoint LIMIT ?`,
      this.read,
    )
    this.#owners = database.query(
      `SELECT DISTINCT owner FROM registry_served CROSS JOIN registry_record ON name = endpoint
       WHERE service = ? AND kind = 'endpoint' AND is_deleted = 0 ORDER BY owner`,
      (row) => row.text('owner'),
    )
    this.#expired = database.query(`SELECT name FROM registry_record WHERE ${live} <= ?`, (row) => row.text('name'))
    this.#expiring = database.query(`SELECT value FROM registry_record WHERE ${live} < ?`, this.read)
    this.#nextExpiry = database.query(
      `SELECT min(expires_ms) AS next FROM registry_record WHERE ${live} IS NOT NULL`,
      (row) => row.optionalInteger('next'),
    )
    this.#servedBy = database.query('SELECT service FROM registry_served WHERE endpoint = ?', (row) =>
      row.text('service'),
    )
    this.#serve = database.command('INSERT OR IGNORE INTO registry_served VALUES (?, ?)')
    this.#unserve = database.command('DELETE FROM registry_served WHERE endpoint = ?')
  }

  async ownersServing(service: string): Promise<readonly string[]> {
    return this.#owners.all(service)
  }

  async removeExpired(nowMs: number): Promise<number | undefined> {
    const { database } = this.options
    const changes = database.transaction(() => this.#expired.all(nowMs).flatMap((name) => this.bury(name) ?? []))
    this.#notifyAll(changes)
    return this.#nextExpiry.get()
  }

  async extend(untilMs: number): Promise<void> {
    const changes = this.options.database.transaction(() =>
      this.#expiring.all(untilMs).map((endpoint) => {
        const value = { ...endpoint, expiresMs: untilMs }
        return { value, revision: this.write(value), deleted: false }
      }),
    )
    this.#notifyAll(changes)
  }

  protected override candidates(
    query: Partial<NetworkServiceEndpoint>,
    range: NameRange,
  ): readonly NetworkServiceEndpoint[] {
    const [service] = query.networkServiceNames ?? []
    const isByName = query.name !== undefined && query.name !== ''
    return isByName || service === undefined ? super.candidates(query, range) : this.#serving(service, range)
  }

  protected override write(endpoint: NetworkServiceEndpoint): number {
    const revision = super.write(endpoint, endpoint.expiresMs ?? null)
    this.#forget(endpoint.name)
    for (const service of endpoint.networkServiceNames) {
      this.#serve.run(service, endpoint.name)
      this.#read.forget(service)
    }
    return revision
  }

  protected override bury(name: string): Change<NetworkServiceEndpoint> | undefined {
    const change = super.bury(name)
    if (change !== undefined) this.#forget(name)
    return change
  }

  #serving(service: string, { after, most }: NameRange): readonly NetworkServiceEndpoint[] {
    const kept = this.#read.get(service) ?? (after === '' ? this.#keep(service) : undefined)
    if (kept === undefined) return this.#byService.all(service, after, most)
    const rest = after === '' ? kept : kept.filter(({ name }) => name > after)
    return most < 0 ? rest : rest.slice(0, most)
  }

  /** A service with more endpoints is read in pages, so that nobody waits for all of them. */
  #keep(service: string): readonly NetworkServiceEndpoint[] | undefined {
    const found = this.#byService.all(service, '', MOST_KEPT)
    return found.length < MOST_KEPT ? this.#read.keep(service, found) : undefined
  }

  #forget(name: string): void {
    for (const service of this.#servedBy.all(name)) this.#read.forget(service)
    this.#unserve.run(name)
  }

  #notifyAll(changes: readonly Change<NetworkServiceEndpoint>[]): void {
    for (const change of changes) this.notify(change)
  }
}
