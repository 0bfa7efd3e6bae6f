/** Asks a registry for all endpoints, again and again: `find-all.ts URL IDENTITY LOOPS`. */
import { errorCode, systemClock } from '../../pkg/base/index.ts'
import { identityFile, staticSource } from '../../pkg/identity/index.ts'
import { Channel, endpointRegistryClient } from '../../pkg/rpc/index.ts'
import { inLoops, serveAttacks } from './serve-attacks.ts'

const [url = '', identityPath = '', loops = ''] = process.argv.slice(2)
const identity = await identityFile(identityPath).load()
if (identity === undefined) throw new Error(`no identity in ${identityPath}`)
const channel = new Channel(url, { security: { identity: staticSource(identity) }, clock: systemClock })
const endpoints = endpointRegistryClient(channel)

serveAttacks((isOver, count) =>
  inLoops(Number(loops), isOver, async () => {
    try {
      const all = endpoints.find({ endpoint: {}, watch: false }, { signal: AbortSignal.timeout(10_000) })
      for await (const _ of all) count('records')
      count('answered')
    } catch (error) {
      count(errorCode(error))
    }
  }),
)
