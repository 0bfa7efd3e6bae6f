/**
 * The program that budgets are measured on: the sandbox's domain with a node that is attacked and one that is honest, in
 * a process of their own, so that what the attacker allocates does not count. Answers commands over IPC.
 */
import { jsonLogger } from '../../pkg/telemetry/index.ts'
import { Sandbox } from '../sandbox/sandbox.ts'
import type { Memory, VictimPlace } from './victim-process.ts'

let logBytes = 0
const logger = jsonLogger({
  program: 'victim',
  level: 'info',
  write: (line) => {
    logBytes += line.length
  },
})

const sandbox = new Sandbox(logger)
const domain = await sandbox.domain('west')
const [node, other] = [await domain.node('n1'), await domain.node('n2')]
await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
const place: VictimPlace = {
  url: node.url,
  registryUrl: domain.registryUrl,
  otherIdentity: `${other.directory}/state/identity`,
}
answer('ready', place)

process.on('message', (command: { readonly id: number; readonly kind: string }) => {
  if (command.kind === 'memory') answer(command.id, memory())
  if (command.kind === 'log') answer(command.id, logBytes)
})
process.on('disconnect', async () => {
  await sandbox.close()
  process.exit(0)
})

function answer(id: number | 'ready', value: unknown): void {
  process.send?.({ id, value })
}

/** What is held, which garbage is not. */
function memory(): Memory {
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heldBytes: heapUsed + external, rssBytes: rss }
}
