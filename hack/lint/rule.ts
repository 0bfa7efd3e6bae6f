/** What a rule of the house is: it takes one file, and gives the breaches that it finds there. */

export interface SourceFile {
  /** From the root of the checkout. */
  readonly path: string
  readonly lines: readonly string[]
}

export interface Breach {
  readonly line: number
  /** What is wrong, and what to do. */
  readonly sentence: string
}

export type Rule = (file: SourceFile) => readonly Breach[]
