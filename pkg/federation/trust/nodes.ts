import { NsmError } from '../../base/index.ts'
import type { Columns, Command, Database, Query } from '../../store/index.ts'

/** Longer than any identity that was issued before a node was expelled. */
const LONGEST_SVID_MS = 3_600_000

export interface NodeRecord {
  readonly name: string
  readonly joinedMs: number
  readonly renewedMs: number
  readonly revokedMs: number | undefined
}

/** The nodes of this domain, also those that were expelled. */
export class NodeTable {
  readonly #all: Query<NodeRecord>
  readonly #byName: Query<NodeRecord>
  readonly #join: Command
  readonly #renew: Command
  readonly #revoke: Command

  constructor(database: Database) {
    this.#all = database.query('SELECT * FROM federation_node ORDER BY name', readRow)
    this.#byName = database.query('SELECT * FROM federation_node WHERE name = ?', readRow)
    this.#join = database.command(`
      INSERT INTO federation_node (name, joined_ms, renewed_ms) VALUES (?1, ?2, ?2)
      ON CONFLICT (name) DO UPDATE SET joined_ms = ?2, renewed_ms = ?2, revoked_ms = NULL`)
    this.#renew = database.command('UPDATE federation_node SET renewed_ms = ? WHERE name = ? AND revoked_ms IS NULL')
    this.#revoke = database.command('UPDATE federation_node SET revoked_ms = ? WHERE name = ? AND revoked_ms IS NULL')
  }

  all(): readonly NodeRecord[] {
    return this.#all.all()
  }

  /** @throws {NsmError} `failed_precondition` while an identity of an expelled node of that name may be valid. */
  checkMayJoin(name: string, nowMs: number): void {
    const revokedMs = this.#byName.get(name)?.revokedMs
    if (revokedMs === undefined || nowMs - revokedMs > LONGEST_SVID_MS) return
    throw new NsmError('failed_precondition', 'Cannot invite the node: a node of that name was just expelled', {
      fields: { node: name, minutesLeft: Math.ceil((revokedMs + LONGEST_SVID_MS - nowMs) / 60_000) },
      next: 'Use another name, or wait until the identities of the old node have expired.',
    })
  }

  join(name: string, nowMs: number): void {
    this.#join.run(name, nowMs)
  }

  /** @throws {NsmError} `permission_denied` when the node is not known, or expelled. */
  renew(name: string, nowMs: number): void {
    if (this.#renew.run(nowMs, name) === 1) return
    throw new NsmError('permission_denied', 'Cannot renew the identity: the node is not a member of this domain', {
      fields: { node: name },
      next: `Join again with a new token: nsmctl node invite ${name}.`,
    })
  }

  /** @throws {NsmError} `not_found` */
  revoke(name: string, nowMs: number): void {
    if (this.#revoke.run(nowMs, name) === 1 || this.#byName.get(name)?.revokedMs !== undefined) return
    throw new NsmError('not_found', 'Cannot expel the node: there is none of that name', {
      fields: { node: name.slice(0, 64) },
      next: 'nsmctl get nodes lists the nodes of this domain.',
    })
  }
}

function readRow(row: Columns): NodeRecord {
  return {
    name: row.text('name'),
    joinedMs: row.integer('joined_ms'),
    renewedMs: row.integer('renewed_ms'),
    revokedMs: row.optionalInteger('revoked_ms'),
  }
}
