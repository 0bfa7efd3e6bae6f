import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Clock, NsmError } from '../../base/index.ts'
import type { InvitationRecord, JoinKind } from '../store/trust-record.ts'
import type { TrustRecords } from '../trust/trust-records.ts'
import { SECRET_BYTES } from './token.ts'

const LONGEST_LIFE_MS = 7 * 24 * 3_600_000

/**
 * Invitations that were given out, each good once: also again for whoever has used it and did not get the answer, as
 * long as it proves that it is the same. Used ones are kept for a week after they expire, so that a second
 * use can be told from a forged secret.
 */
export class Invitations {
  readonly #records: TrustRecords
  readonly #clock: Clock

  constructor(records: TrustRecords, clock: Clock) {
    this.#records = records
    this.#clock = clock
  }

  /**
   * Makes an invitation and returns its secret, which is stored nowhere.
   * @param guest the name of the node or domain that may join with it.
   * @throws {NsmError} `invalid_argument` for a lifetime that is too short or too long.
   */
  async create(invites: JoinKind, guest: string, lifetimeMs: number): Promise<{ secret: string; expiresMs: number }> {
    if (!(lifetimeMs >= 1_000 && lifetimeMs <= LONGEST_LIFE_MS)) {
      throw new NsmError('invalid_argument', 'Cannot make the invitation: its lifetime is not 1 second to 7 days', {
        fields: { lifetimeMs },
      })
    }
    await this.#prune()
    const secret = randomBytes(SECRET_BYTES)
    const { name, hash } = digest(secret)
    const expiresMs = this.#clock.nowMs() + lifetimeMs
    const invitation = { kind: 'invitation', name, hash, invites, guest, expiresMs, usedMs: undefined } as const
    await this.#records.change('invitation', name, () => invitation)
    return { secret: secret.toString('base64url'), expiresMs }
  }

  /**
   * The invitation behind `secret`, if it can be used now. The caller checks whether it is for who shows it.
   * @param by the fingerprint of the key that the caller has proven to be its own
   * @throws {NsmError} `permission_denied` when there is none, `failed_precondition` when it is used or expired.
   */
  async check(secret: string, invites: JoinKind, by?: string): Promise<InvitationRecord> {
    const found = await this.find(secret, invites)
    this.#checkUsable(found, by)
    return found
  }

  /**
   * The invitation behind `secret`, used or not.
   * @throws {NsmError} `permission_denied` when there is none, `failed_precondition` when it has expired.
   */
  async find(secret: string, invites: JoinKind): Promise<InvitationRecord> {
    const { name, hash } = digest(Buffer.from(secret, 'base64url'))
    // Not from the copy: another replica may just have made it.
    const found = await this.#records.read('invitation', name)
    if (found === undefined || !timingSafeEqual(found.hash, hash) || found.invites !== invites) {
      throw new NsmError('permission_denied', 'Cannot join the domain: it did not make this token', {
        next: `ask its operator for a new one: ${inviteCommand(invites)}`,
      })
    }
    if (found.expiresMs <= this.#clock.nowMs()) throw unusable('the token has expired', invites)
    return found
  }

  /**
   * Uses the invitation up: of many that come at once, at whichever replica, exactly one succeeds. Call it before
   * anything is granted: after a crash in between, the token is lost and nothing is granted for it.
   * @throws {NsmError} `failed_precondition` when it was used before, or has expired.
   */
  async use({ name, invites }: InvitationRecord, by?: string): Promise<void> {
    await this.#records.change('invitation', name, (stored) => {
      if (stored === undefined) throw unusable('the token has expired', invites)
      this.#checkUsable(stored, by)
      if (stored.usedMs !== undefined) return stored
      return { ...stored, usedMs: this.#clock.nowMs(), ...(by === undefined ? {} : { usedBy: by }) }
    })
  }

  #checkUsable({ usedMs, usedBy, expiresMs, invites }: InvitationRecord, by: string | undefined): void {
    const isSame = usedBy !== undefined && usedBy === by
    if (usedMs !== undefined && !isSame) throw unusable('the token was used already', invites)
    if (expiresMs <= this.#clock.nowMs()) throw unusable('the token has expired', invites)
  }

  async #prune(): Promise<void> {
    const beforeMs = this.#clock.nowMs() - LONGEST_LIFE_MS
    const old = this.#records.all('invitation').filter(({ expiresMs }) => expiresMs < beforeMs)
    for (const { name } of old) await this.#records.change('invitation', name, () => undefined)
  }
}

/** The first half of the hash finds the record; then the whole of it is compared in constant time. */
function digest(secret: Uint8Array): { readonly name: string; readonly hash: Uint8Array } {
  const hash = createHash('sha256').update(secret).digest()
  return { name: hash.subarray(0, 16).toString('hex'), hash }
}

function unusable(state: string, invites: JoinKind): NsmError {
  return new NsmError('failed_precondition', `Cannot join the domain: ${state}`, {
    next: `a token is good once and for a limited time; make a new one: ${inviteCommand(invites)}`,
  })
}

function inviteCommand(invites: JoinKind): string {
  return `nsmctl ${invites} invite <name>`
}
