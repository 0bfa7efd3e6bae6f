/** Where the programs of a cluster run. */
import type { ChildProcess } from 'node:child_process'
import type { Host } from '../lab/host.ts'
import { type Outcome, type RunOptions, start, tryRun } from '../lab/shell.ts'
import type { Launched } from './component.ts'

export interface Machine {
  tryRun(command: readonly string[], options?: RunOptions): Promise<Outcome>
  launch(command: readonly string[], log: string, options?: RunOptions): Launched
}

/** The machine that the test runs on. What is launched ends with the test, however that ends. */
export const thisMachine: Machine = {
  tryRun,
  launch: (command, log, options) => itself(start(['setpriv', '--pdeathsig', 'KILL', '--', ...command], log, options)),
}

export function machineOf(host: Host): Machine {
  return {
    tryRun: (command, options) => host.tryRun(command, options),
    launch: (command, log, options) => itself(host.start(command, log, options)),
  }
}

function itself(child: ChildProcess): Launched {
  return { child, pid: () => child.pid ?? 0 }
}
