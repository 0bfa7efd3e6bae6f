import { NsmError } from '../../base/index.ts'
import type { Columns, Command, Database, Query } from '../../store/index.ts'
import { haveCommonAuthority, type Introduction } from '../joining/introduction.ts'

export interface JoinedDomain extends Introduction {
  readonly joinedMs: number
}

/** The domains that joined, with the newest of what each said of itself. */
export class DomainTable {
  readonly #all: Query<JoinedDomain>
  readonly #byName: Query<JoinedDomain>
  readonly #put: Command
  readonly #remove: Command

  constructor(database: Database) {
    this.#all = database.query('SELECT * FROM federation_domain ORDER BY name', readRow)
    this.#byName = database.query('SELECT * FROM federation_domain WHERE name = ?', readRow)
    this.#put = database.command(`
      INSERT INTO federation_domain (name, addresses, authorities, revision, joined_ms) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET
        addresses = excluded.addresses, authorities = excluded.authorities, revision = excluded.revision`)
    this.#remove = database.command('DELETE FROM federation_domain WHERE name = ?')
  }

  all(): readonly JoinedDomain[] {
    return this.#all.all()
  }

  get(name: string): JoinedDomain | undefined {
    return this.#byName.get(name)
  }

  /**
   * A domain joins, or joins again with an authority that we know of it.
   * @throws {NsmError} `already_exists` when a domain of that name has joined that is another one.
   */
  join(introduction: Introduction, nowMs: number): void {
    const { domain } = introduction
    const known = this.get(domain)
    if (known !== undefined && !haveCommonAuthority(known, introduction)) {
      throw new NsmError('already_exists', 'Cannot join: another domain of that name has joined', {
        fields: { domain },
        next: `If the domain was set up anew, revoke the old one first: nsmctl domain revoke ${domain}.`,
      })
    }
    this.#write(introduction, nowMs)
  }

  /**
   * Takes a newer introduction of a joined domain; false when it says nothing new.
   * INVARIANT: revisions only grow, so that nobody can bring back an authority that was given up.
   */
  update(introduction: Introduction): boolean {
    const known = this.get(introduction.domain)
    if (known === undefined || introduction.revision <= known.revision) return false
    this.#write(introduction, known.joinedMs)
    return true
  }

  /** @throws {NsmError} `not_found` */
  remove(name: string): void {
    if (this.#remove.run(name) === 0) throw notJoined(name)
  }

  #write({ domain, addresses, authorities, revision }: Introduction, joinedMs: number): void {
    const certificates = authorities.map((der) => Buffer.from(der).toString('base64'))
    this.#put.run(domain, JSON.stringify(addresses), JSON.stringify(certificates), revision, joinedMs)
  }
}

export function notJoined(domain: string): NsmError {
  return new NsmError('not_found', 'Cannot find the domain: it has not joined', {
    fields: { domain: domain.slice(0, 64) },
    next: 'nsmctl domain list shows the joined ones; join another with nsmctl domain join <token>.',
  })
}

function readRow(row: Columns): JoinedDomain {
  return {
    domain: row.text('name'),
    addresses: JSON.parse(row.text('addresses')),
    authorities: JSON.parse(row.text('authorities')).map((text: string) => new Uint8Array(Buffer.from(text, 'base64'))),
    revision: row.integer('revision'),
    joinedMs: row.integer('joined_ms'),
  }
}
