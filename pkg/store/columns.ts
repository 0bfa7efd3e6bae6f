import { NsmError } from '../base/index.ts'

/** One row of a result. Each value is read by its column's name, as the type that the schema promises. */
export class Columns {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  text(name: string): string {
    const value = this.#values[name]
    return typeof value === 'string' ? value : this.#refuse(name, 'text')
  }

  optionalText(name: string): string | undefined {
    return this.isNull(name) ? undefined : this.text(name)
  }

  /** A safe integer: one that JavaScript represents exactly. */
  integer(name: string): number {
    const value = this.#values[name]
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : this.#refuse(name, 'integer')
  }

  optionalInteger(name: string): number | undefined {
    return this.isNull(name) ? undefined : this.integer(name)
  }

  blob(name: string): Uint8Array {
    const value = this.#values[name]
    return value instanceof Uint8Array ? value : this.#refuse(name, 'blob')
  }

  optionalBlob(name: string): Uint8Array | undefined {
    return this.isNull(name) ? undefined : this.blob(name)
  }

  isNull(name: string): boolean {
    return this.#values[name] === null
  }

  #refuse(column: string, wanted: string): never {
    throw new NsmError('internal', 'Cannot read the stored value: its type is not that of the schema', {
      fields: { column, wanted },
    })
  }
}
