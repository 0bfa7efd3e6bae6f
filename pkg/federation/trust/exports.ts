import { NsmError } from '../../base/index.ts'
import type { Exports } from '../../policy/index.ts'
import type { Command, Database, Query } from '../../store/index.ts'

/** Stands for every joined domain, also those that join later. */
export const EVERY_DOMAIN = '*'

/** Which services other domains may find and request. */
export class ExportTable {
  readonly #all: Query<{ readonly service: string; readonly domain: string }>
  readonly #insert: Command
  readonly #delete: Command
  readonly #forget: Command

  constructor(database: Database) {
    this.#all = database.query('SELECT service, domain FROM federation_export ORDER BY service', (row) => ({
      service: row.text('service'),
      domain: row.text('domain'),
    }))
    this.#insert = database.command('INSERT OR IGNORE INTO federation_export (service, domain) VALUES (?, ?)')
    this.#delete = database.command('DELETE FROM federation_export WHERE service = ? AND domain = ?')
    this.#forget = database.command('DELETE FROM federation_export WHERE domain = ?')
  }

  /** For each of `domains`, what is exported to it or to all. */
  exportsTo(domains: readonly string[]): Exports {
    const rows = this.#all.all()
    const isFor = (row: { domain: string }, domain: string) => row.domain === domain || row.domain === EVERY_DOMAIN
    return new Map(
      domains.map((domain) => [
        domain,
        new Set(rows.filter((row) => isFor(row, domain)).map(({ service }) => service)),
      ]),
    )
  }

  add(service: string, domain: string): void {
    this.#insert.run(service, domain)
  }

  /** @throws {NsmError} `not_found` when that was not exported: a mistyped name must not look like success. */
  remove(service: string, domain: string): void {
    if (this.#delete.run(service, domain) === 1) return
    throw new NsmError('not_found', 'Cannot withdraw the service: it is not exported to that domain', {
      fields: { service: service.slice(0, 64), domain: domain.slice(0, 64) },
      next: 'nsmctl domain list shows what is exported; withdraw from all with "*" only what was exported so.',
    })
  }

  /** Drops what was exported to a domain that left. */
  forget(domain: string): void {
    this.#forget.run(domain)
  }
}
