import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Clock } from '../../base/index.ts'
import { duration } from '../../config/index.ts'
import type { ExitCode } from '../exit-code.ts'
import type { Mesh, Terminal } from '../mesh.ts'
import { FORMATS, type Format } from '../output.ts'

/** The context of every command. */
export interface Context {
  readonly mesh: Mesh
  readonly terminal: Terminal
  readonly clock: Clock
  /** The exit code of the program, unless the command throws. */
  exitCode: ExitCode
}

/** Registers one command with the program. */
export type Register = (program: Command, context: Context) => void

export function formatOption(): Option {
  return new Option('-o, --output <format>', 'output format').choices(FORMATS).default('table' satisfies Format)
}

/** Parses an argument such as `10m` for commander. @returns milliseconds */
export function durationArgument(text: string): number {
  try {
    return duration(text)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}
