import { type Format, renderObject } from '../output.ts'
import { paintMarks, statusExitCode, statusText } from '../view/status.ts'
import { formatOption, type Register } from './context.ts'

export const registerStatus: Register = (program, context) => {
  program
    .command('status')
    .description('show the state of this node: dataplane, identity, registry, wires, and problems')
    .addOption(formatOption())
    .action(async ({ output }: { output: Format }) => {
      const status = await (await context.mesh.node()).status()
      const { terminal, clock } = context
      const isForPeople = output === 'table' || output === 'wide'
      if (!isForPeople) terminal.print(renderObject(status, output))
      else terminal.print(statusText(status, { nowMs: clock.nowMs() }), terminal.isColoured ? paintMarks : undefined)
      context.exitCode = statusExitCode(status)
    })
}
