import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Clock } from '../../base/index.ts'
import { duration } from '../../config/index.ts'
import type { ExitCode } from '../exit-code.ts'
import type { Mesh, Terminal } from '../mesh.ts'
import { FORMATS, type Format } from '../output.ts'

/** What every command works with. */
export interface Context {
  readonly mesh: Mesh
  readonly terminal: Terminal
  readonly clock: Clock
  /** How the program ends unless an error says otherwise. */
  exitCode: ExitCode
}

/** Adds one command to the program. */
export type Register = (program: Command, context: Context) => void

export function formatOption(): Option {
  return new Option('-o, --output <format>', 'how to print the result')
    .choices(FORMATS)
    .default('table' satisfies Format)
}

/** For commander: `10m` to milliseconds. */
export function durationArgument(text: string): number {
  try {
    return duration(text)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}
