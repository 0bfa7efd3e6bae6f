/**
 * How names survive the loss of all records. The answer to a registration carries a claim: the word of this registry
 * that the owner had this name. A node sends it along when it registers again. After a loss, a registry first gives the
 * names back to those who can show one; whoever comes without has to wait until the living have had time to return.
 *
 *     claim = issued . HMAC(name, owner, services, issued)
 *
 * Every registration renews it. One that is too old is of somebody who has given the name up.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { NetworkServiceEndpoint } from '../../api/index.ts'
import { type Clock, NsmError } from '../../base/index.ts'

export interface ClaimsOptions {
  /** Secret, and kept elsewhere than the records. */
  readonly key: Uint8Array
  /** Until when names go to those with a claim only; in the past where no records were lost. */
  readonly recoversUntilMs: number
  /** The longest life of a registration that is not refreshed. */
  readonly lifeMs: number
  readonly clock: Clock
}

/** How long a registry may be away before it comes back without its records. The living cannot renew their claims then. */
const MAX_ABSENCE_MS = 86_400_000

type Claimed = Pick<NetworkServiceEndpoint, 'name' | 'networkServiceNames' | 'pathIds'>

export class Claims {
  readonly #options: ClaimsOptions

  constructor(options: ClaimsOptions) {
    this.#options = options
  }

  get isRecovering(): boolean {
    return this.#leftMs > 0
  }

  /** For the owner of the endpoint, its name and its services, and for nobody else: it may be public. */
  claimOf(endpoint: Claimed): string {
    return this.#claim(endpoint, this.#options.clock.nowMs())
  }

  /** @throws {NsmError} `unavailable` while records are being recovered and the endpoint does not carry its claim. */
  checkNewEndpoint(endpoint: Claimed & Pick<NetworkServiceEndpoint, 'claim'>): void {
    if (this.isRecovering && !this.#isGood(endpoint)) throw this.#isRecovering(endpoint.name)
  }

  /** @throws {NsmError} `unavailable` while records are being recovered and nobody has claimed an endpoint of it. */
  checkNewService(name: string, holders: readonly string[]): void {
    if (this.isRecovering && holders.length === 0) throw this.#isRecovering(name)
  }

  get #leftMs(): number {
    const { recoversUntilMs, clock } = this.#options
    return recoversUntilMs - clock.nowMs()
  }

  /** A claim without a time, as an earlier version gave it out, is not: its owner gets another when it next registers. */
  #isGood({ claim = '', ...endpoint }: Claimed & Pick<NetworkServiceEndpoint, 'claim'>): boolean {
    const { lifeMs, clock } = this.#options
    const issuedMs = Number.parseInt(claim.split('.', 1)[0] ?? '', 36)
    if (!(issuedMs + lifeMs + MAX_ABSENCE_MS >= clock.nowMs())) return false
    const [shown, right] = [Buffer.from(claim), Buffer.from(this.#claim(endpoint, issuedMs))]
    return shown.length === right.length && timingSafeEqual(shown, right)
  }

  #claim({ name, networkServiceNames, pathIds: [owner = ''] }: Claimed, issuedMs: number): string {
    const text = JSON.stringify([name, owner, [...networkServiceNames].sort(), issuedMs])
    return `${issuedMs.toString(36)}.${createHmac('sha256', this.#options.key).update(text).digest('base64url')}`
  }

  #isRecovering(name: string): NsmError {
    return new NsmError(
      'unavailable',
      'Cannot register yet: the registry lost its records and waits for their owners',
      {
        fields: { name, secondsLeft: Math.ceil(this.#leftMs / 1000) },
        next: 'wait: new names are given out afterwards',
      },
    )
  }
}
