import type { IdentitySource } from '../../identity/index.ts'

/** An identity that is obtained when somebody needs it first, and again after that has failed. */
export class NeededIdentity {
  readonly #obtain: () => Promise<IdentitySource>
  #held: Promise<IdentitySource> | undefined

  constructor(obtain: () => Promise<IdentitySource>) {
    this.#obtain = obtain
  }

  readonly get = async (): Promise<IdentitySource> => {
    this.#held ??= this.#obtain()
    const held = this.#held
    try {
      return await held
    } catch (error) {
      if (this.#held === held) this.#held = undefined
      throw error
    }
  }

  async close(): Promise<void> {
    const held = await this.#held?.catch(() => undefined)
    this.#held = undefined
    await held?.close()
  }
}
