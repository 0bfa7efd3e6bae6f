/**
 * The program that budgets are measured on: the sandbox's domain with a node that is attacked and one that is honest, in
 * a process of their own, so that what the attacker allocates does not count. Answers commands over IPC.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { jsonLogger } from '../../pkg/telemetry/index.ts'
import { Sandbox } from '../sandbox/sandbox.ts'
import { goFirst } from './latency.ts'
import type { Memory, VictimPlace } from './victim-process.ts'

/** How often, and how far apart, garbage is collected until nothing more goes. */
const MOST_TURNS = 20
const TURN_MS = 100
const SETTLED_BYTES = 2 ** 17

goFirst()
let logBytes = 0
const logger = jsonLogger({
  program: 'victim',
  level: 'info',
  write: (line) => {
    logBytes += line.length
  },
})

const sandbox = new Sandbox({ logger })
const domain = await sandbox.domain('west')
const [node, other, third] = [await domain.node('n1'), await domain.node('n2'), await domain.node('n3')]
await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
await other.endpoint({ service: 'mail', name: 'nse-mail', cidr: '172.16.2.0/24' })
await domain.export('loot')
const place: VictimPlace = {
  url: node.url,
  registryUrl: domain.registryUrl,
  invitation: await domain.inviteDomain('evil'),
  workload: await node.holder.place({ uid: 1000, namespace: newNamespace() }),
  otherUrl: other.url,
  otherIdentity: `${other.directory}/state/identity`,
  thirdIdentity: `${third.directory}/state/identity`,
}
answer('ready', place)

process.on('message', async (command: { readonly id: number; readonly kind: string }) => {
  if (command.kind === 'memory') answer(command.id, await memory())
  if (command.kind === 'stop other') answer(command.id, await other.stop())
  if (command.kind === 'log') answer(command.id, logBytes)
})
process.on('disconnect', async () => {
  await sandbox.close()
  process.exit(0)
})

function newNamespace(): string {
  const namespace = sandbox.namespace()
  node.kernel.addNamespace(namespace)
  return namespace
}

function answer(id: number | 'ready', value: unknown): void {
  process.send?.({ id, value })
}

/**
 * What is held, which garbage is not. One collection does not find all of that: the buffers of a stream that has ended are
 * let go in later turns of the event loop. So we collect until nothing more goes; what somebody still holds stays.
 */
async function memory(): Promise<Memory> {
  let least = collected()
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    await pause(TURN_MS)
    const next = collected()
    const isSettled = least.heldBytes - next.heldBytes < SETTLED_BYTES
    if (next.heldBytes < least.heldBytes) least = next
    if (isSettled) break
  }
  return least
}

function collected(): Memory {
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heldBytes: heapUsed + external, rssBytes: rss }
}
