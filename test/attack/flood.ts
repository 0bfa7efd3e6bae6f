/**
 * Calls in a loop, in a process of its own so that those who measure have theirs: `flood.ts URL IDENTITY MS LOOPS`. Its
 * last words are how many calls ended how.
 */
import { healthV1 } from '../../pkg/api/index.ts'
import { errorCode, systemClock } from '../../pkg/base/index.ts'
import { identityFile, staticSource } from '../../pkg/identity/index.ts'
import { Channel, clientOf } from '../../pkg/rpc/index.ts'

const LOOPS_PER_CONNECTION = 100

const [url = '', identityPath = '', ms = '', loops = ''] = process.argv.slice(2)
const identity = await identityFile(identityPath).load()
if (identity === undefined) throw new Error(`no identity in ${identityPath}`)
const security = { identity: staticSource(identity) }
const connections = Math.ceil(Number(loops) / LOOPS_PER_CONNECTION)
const channels = Array.from({ length: connections }, () => new Channel(url, { security, clock: systemClock }))
const untilMs = performance.now() + Number(ms)
const outcomes: Record<string, number> = {}

async function loop(channel: Channel): Promise<void> {
  const health = clientOf(healthV1.HealthService, channel)
  while (performance.now() < untilMs) {
    const call = health.check({ service: '' }, { signal: AbortSignal.timeout(10_000) })
    const outcome = await call.then(() => 'answered', errorCode)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
}

await Promise.all(channels.flatMap((channel) => Array.from({ length: LOOPS_PER_CONNECTION }, () => loop(channel))))
for (const channel of channels) channel.close()
process.send?.(outcomes)
process.disconnect?.()
