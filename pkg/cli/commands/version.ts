import { VERSION } from '../../base/index.ts'
import type { Register } from './context.ts'

export const registerVersion: Register = (program, context) => {
  program
    .command('version')
    .description('show the version of nsmctl, and of the node if it is reachable')
    .action(async () => {
      context.terminal.print(`nsmctl ${VERSION}`)
      const node = await context.mesh.node().then(
        (api) => api.status(),
        () => undefined,
      )
      if (node !== undefined)
        context.terminal.print(`nsmd ${node.version}\nnsm-dataplane ${node.dataplane?.version ?? 'unreachable'}`)
    })
}
