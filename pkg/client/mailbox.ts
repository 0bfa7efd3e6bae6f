/** Values on their way from whoever has them to one reader, in order. */
export class Mailbox<T> {
  readonly #values: T[] = []
  #failure: { readonly error: unknown } | undefined
  #wake = () => {}

  put(value: T): void {
    this.#values.push(value)
    this.#wake()
  }

  /** Ends the reading with `error`, after everything that was put before. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  /** The next value. To be called again only when it has settled. @throws the error of `fail` */
  async take(): Promise<T> {
    for (;;) {
      const [value] = this.#values.splice(0, 1)
      if (value !== undefined) return value
      if (this.#failure !== undefined) throw this.#failure.error
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
