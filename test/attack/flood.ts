/** Calls in a loop: `flood.ts URL IDENTITY LOOPS`. */
import { healthV1 } from '../../pkg/api/index.ts'
import { errorCode, systemClock } from '../../pkg/base/index.ts'
import { identityFile, staticSource } from '../../pkg/identity/index.ts'
import { Channel, clientOf } from '../../pkg/rpc/index.ts'
import { inLoops, serveAttacks } from './serve-attacks.ts'

const LOOPS_PER_CONNECTION = 100

const [url = '', identityPath = '', loops = ''] = process.argv.slice(2)
const identity = await identityFile(identityPath).load()
if (identity === undefined) throw new Error(`no identity in ${identityPath}`)
const security = { identity: staticSource(identity) }
const connections = Math.ceil(Number(loops) / LOOPS_PER_CONNECTION)
const clients = Array.from({ length: connections }, () =>
  clientOf(healthV1.HealthService, new Channel(url, { security, clock: systemClock })),
)

serveAttacks((isOver, count) =>
  inLoops(Number(loops), isOver, async (loop) => {
    const call = clients[loop % connections]?.check({ service: '' }, { signal: AbortSignal.timeout(10_000) })
    count(await (call ?? Promise.reject()).then(() => 'answered', errorCode))
  }),
)
