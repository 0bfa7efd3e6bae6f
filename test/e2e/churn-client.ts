/**
 * Opens and closes wires, four at a time, over one channel: run in a workload's namespace. Prints one JSON
 * line when it is done.
 *     churn-client.ts URL rounds N     open and close, N times
 *     churn-client.ts URL hold N       open N wires, print, wait for the end of stdin, leave them open
 */

import { silentLogger, systemClock } from '../../pkg/base/index.ts'
import { parseNsmUrl } from '../../pkg/client/index.ts'
import { firstRequest } from '../../pkg/client/requests.ts'
import { nsmClientConfig } from '../../pkg/config/index.ts'
import { Channel, networkServiceClient, workloadApiSource } from '../../pkg/rpc/index.ts'

const [service = '', mode = '', count = '0'] = process.argv.slice(2)
const { connectTo, workloadApi } = nsmClientConfig.read({ ...process.env, NSM_NETWORK_SERVICES: 'unused' })
const signal = AbortSignal.timeout(300_000)
const identity = await workloadApiSource({ url: workloadApi, clock: systemClock, logger: silentLogger, signal })
const channel = new Channel(connectTo, { security: { identity }, clock: systemClock })
const client = networkServiceClient(channel)

async function open(index: number) {
  const url = parseNsmUrl(`kernel://${service}/w${index}`)
  const request = firstRequest({ client: 'churn', id: `churn-${index}`, url, labels: {} })
  return client.request(request, { signal: AbortSignal.timeout(15_000) })
}

/** So many requests are under way at once. */
const WORKERS = 4

async function work(worker: number): Promise<void> {
  for (let index = worker; index < Number(count); index += WORKERS) {
    const connection = await open(mode === 'rounds' ? worker : index)
    if (mode === 'rounds') await client.close(connection, { signal: AbortSignal.timeout(15_000) })
  }
}

const startMs = performance.now()
await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)))
console.log(JSON.stringify({ count: Number(count), seconds: (performance.now() - startMs) / 1000 }))
if (mode === 'hold') await new Promise((resolve) => process.stdin.once('end', resolve).resume())
channel.close()
await identity.close()
