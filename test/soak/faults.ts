/** What happens to the mesh of the soak, one thing at a time. Each ends by itself; none is announced to anybody. */
import type { Node } from '../lab/cluster.ts'
import { enginePid } from '../lab/processes.ts'
import type { SoakMesh } from './mesh.ts'

export interface Fault {
  readonly name: string
  strike(mesh: SoakMesh, pick: Pick): Promise<void>
}

/** One of them, at random. */
export type Pick = <T>(from: readonly T[]) => T

const STOPPED_MS = 3_000
const CUT_MS = 2_000
const LOSSY_MS = 10_000

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export const FAULTS: readonly Fault[] = [
  { name: 'nsmd killed', strike: async ({ nodes }, pick) => pick(nodes).nsmd.kill() },
  { name: 'engine killed', strike: async ({ nodes }, pick) => killEngine(pick(nodes)) },
  { name: 'registry killed', strike: async ({ registries }, pick) => pick(registries).service.kill() },
  { name: 'endpoint killed', strike: async ({ endpoints }, pick) => pick(endpoints).kill() },
  {
    name: 'nsmd stopped for a while',
    strike: async ({ nodes }, pick) => {
      const { pid } = pick(nodes).nsmd
      process.kill(pid, 'SIGSTOP')
      await pause(STOPPED_MS)
      process.kill(pid, 'SIGCONT')
    },
  },
  {
    name: 'node cut off for a while',
    strike: async ({ lab, nodes }, pick) => {
      const link = linkOf(pick(nodes))
      await lab.internet.ip(`link set ${link} down`)
      await pause(CUT_MS)
      await lab.internet.ip(`link set ${link} up`)
    },
  },
  {
    name: 'five of a hundred packets lost',
    strike: async ({ lab, nodes }, pick) => {
      const hook = `type filter hook ingress device ${linkOf(pick(nodes))} priority 0`
      const rules = [hook, 'numgen random mod 100 < 5 drop'].join('\n')
      await lab.internet.run(['nft', '-f', '-'], { input: `table netdev soak {\nchain ingress {\n${rules}\n}\n}\n` })
      await pause(LOSSY_MS)
      await lab.internet.run(['nft', 'delete', 'table', 'netdev', 'soak'])
    },
  },
]

function killEngine({ holder }: Node): void {
  const pid = enginePid(holder.pid)
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
}

/** The node's cable on the internet of the lab. */
function linkOf({ address }: Node): string {
  return `host${address.split('.').at(-1)}`
}
