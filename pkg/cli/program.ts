/** nsmctl: registers all commands, and maps errors to exit codes. */
import { Command, CommanderError } from 'commander'
import { type Clock, describeError, nextStep, toPrintable, toPrintableLines } from '../base/index.ts'
import { registerCompletion } from './commands/completion.ts'
import type { Context, Register } from './commands/context.ts'
import { registerDomain, registerNode } from './commands/domain.ts'
import { registerDescribe, registerGet } from './commands/get.ts'
import { registerPolicy } from './commands/policy.ts'
import { registerClose, registerRequest } from './commands/request.ts'
import { registerStatus } from './commands/status.ts'
import { registerVersion } from './commands/version.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.ts'
import type { Mesh, Terminal } from './mesh.ts'

const COMMANDS: readonly Register[] = [
  registerStatus,
  registerGet,
  registerDescribe,
  registerRequest,
  registerClose,
  registerDomain,
  registerNode,
  registerPolicy,
  registerVersion,
  registerCompletion,
]

export interface CliOptions {
  readonly mesh: Mesh
  readonly terminal: Terminal
  readonly clock: Clock
  /** Prints errors and usage messages. */
  readonly printError: (text: string) => void
}

/** @param args the arguments after `nsmctl` */
export async function runCli(args: readonly string[], options: CliOptions): Promise<ExitCode> {
  const { mesh, clock, printError } = options
  const terminal = safe(options.terminal)
  const context: Context = { mesh, terminal, clock, exitCode: EXIT.fine }
  const program = new Command('nsmctl')
    .description('inspect and manage a mesh of virtual wires')
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => printError(text.trimEnd()),
    })
    .addHelpText(
      'after',
      '\nExit status: 0 success, 1 failure, 2 usage error, 3 warnings only, 4 unreachable, 5 permission denied.',
    )
    .exitOverride()
  for (const register of COMMANDS) register(program, context)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return context.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage
    printError(`nsmctl: ${toPrintable(describeError(error))}`)
    const next = nextStep(error)
    if (next !== undefined) printError(`next: ${toPrintable(next)}`)
    return exitCodeOf(error)
  } finally {
    await mesh.close()
  }
}

/** The one way to a terminal: what other domains, nodes and workloads have written is text there, never a command. */
function safe(terminal: Terminal): Terminal {
  const print = (text: string, paint = (plain: string) => plain) => terminal.print(paint(toPrintableLines(text)))
  return { ...terminal, print }
}
