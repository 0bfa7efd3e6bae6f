import { type Format, renderObject } from '../output.ts'
import { statusExitCode, statusText } from '../view/status.ts'
import { formatOption, type Register } from './context.ts'

export const registerStatus: Register = (program, context) => {
  program
    .command('status')
    .description('show the state of this node: dataplane, identity, registry, wires, and problems')
    .addOption(formatOption())
    .action(async ({ output }: { output: Format }) => {
      const status = await (await context.mesh.node()).status()
      const { print, isColoured } = context.terminal
      const isForPeople = output === 'table' || output === 'wide'
      print(
        isForPeople ? statusText(status, { nowMs: context.clock.nowMs(), isColoured }) : renderObject(status, output),
      )
      context.exitCode = statusExitCode(status)
    })
}
