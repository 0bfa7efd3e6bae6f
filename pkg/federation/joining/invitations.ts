import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Clock, NsmError } from '../../base/index.ts'
import type { Command, Database, Query } from '../../store/index.ts'
import { type JoinKind, SECRET_BYTES } from './token.ts'

const LONGEST_LIFE_MS = 7 * 24 * 3_600_000

export interface Invitation {
  readonly id: string
  readonly kind: JoinKind
  /** Empty for domains. */
  readonly node: string
  readonly expiresMs: number
  readonly isUsed: boolean
}

interface StoredInvitation extends Invitation {
  readonly hash: Uint8Array
}

/**
 * Invitations that are out, each good once. Used ones are kept until long after they expire, so that a second use can
 * be told from a forged secret.
 */
export class Invitations {
  readonly #clock: Clock
  readonly #insert: Command
  readonly #use: Command
  readonly #prune: Command
  readonly #byId: Query<StoredInvitation>

  constructor(database: Database, clock: Clock) {
    this.#clock = clock
    this.#insert = database.command(
      'INSERT INTO federation_invitation (id, hash, kind, node, expires_ms) VALUES (?, ?, ?, ?, ?)',
    )
    this.#use = database.command(
      'UPDATE federation_invitation SET used_ms = ? WHERE id = ? AND used_ms IS NULL AND expires_ms > ?',
    )
    this.#prune = database.command('DELETE FROM federation_invitation WHERE expires_ms < ?')
    this.#byId = database.query('SELECT * FROM federation_invitation WHERE id = ?', (row) => ({
      id: row.text('id'),
      hash: row.blob('hash'),
      kind: row.text('kind') === 'node' ? 'node' : 'domain',
      node: row.optionalText('node') ?? '',
      expiresMs: row.integer('expires_ms'),
      isUsed: !row.isNull('used_ms'),
    }))
  }

  /** Makes an invitation and returns its secret, which is kept nowhere. @throws {NsmError} `invalid_argument` */
  create(kind: JoinKind, node: string, lifetimeMs: number): { readonly secret: string; readonly expiresMs: number } {
    if (!(lifetimeMs >= 1_000 && lifetimeMs <= LONGEST_LIFE_MS)) {
      throw new NsmError('invalid_argument', 'Cannot invite: the lifetime is not between a second and a week', {
        fields: { lifetimeMs },
      })
    }
    const nowMs = this.#clock.nowMs()
    this.#prune.run(nowMs - LONGEST_LIFE_MS)
    const secret = randomBytes(SECRET_BYTES)
    const { id, hash } = digest(secret)
    this.#insert.run(id, hash, kind, node === '' ? null : node, nowMs + lifetimeMs)
    return { secret: secret.toString('base64url'), expiresMs: nowMs + lifetimeMs }
  }

  /**
   * The invitation behind `secret`, if it can be used now.
   * @throws {NsmError} `permission_denied` when there is none, `failed_precondition` when it is used or expired.
   */
  check(secret: string, kind: JoinKind): Invitation {
    const { id, hash } = digest(Buffer.from(secret, 'base64url'))
    const found = this.#byId.get(id)
    if (found === undefined || !timingSafeEqual(found.hash, hash) || found.kind !== kind) {
      throw new NsmError('permission_denied', 'Cannot join: the token is not one of this domain', {
        next: `Ask its operator for a new one: ${howToInvite(kind)}.`,
      })
    }
    if (found.isUsed) throw notGood('the token was used already', kind)
    if (found.expiresMs <= this.#clock.nowMs()) throw notGood('the token has expired', kind)
    return found
  }

  /**
   * Uses the invitation up. One SQL statement decides, so that of many who come at once exactly one gets it. Call in
   * the transaction that writes what the invitation is good for.
   * @throws {NsmError} `failed_precondition` when somebody else was first.
   */
  use({ id, kind }: Invitation): void {
    const nowMs = this.#clock.nowMs()
    if (this.#use.run(nowMs, id, nowMs) !== 1) throw notGood('the token was used already', kind)
  }
}

/** The first half of the hash finds the row; the whole of it is compared in constant time. */
function digest(secret: Uint8Array): { readonly id: string; readonly hash: Uint8Array } {
  const hash = createHash('sha256').update(secret).digest()
  return { id: hash.subarray(0, 16).toString('hex'), hash }
}

function notGood(state: string, kind: JoinKind): NsmError {
  return new NsmError('failed_precondition', `Cannot join: ${state}`, {
    next: `Each token is good once and for a limited time; make a new one: ${howToInvite(kind)}.`,
  })
}

function howToInvite(kind: JoinKind): string {
  return kind === 'domain' ? 'nsmctl domain invite' : 'nsmctl node invite <name>'
}
