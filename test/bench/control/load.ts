/**
 * A client that does as it is told, over one channel: run in a workload's namespace. Each line on its standard input is
 * a {@link LoadOrder}; each is answered by one line, a {@link LoadReport}.
 */
import { createInterface } from 'node:readline'
import { emptyContext } from '../../../pkg/api/index.ts'
import { silentLogger, systemClock } from '../../../pkg/base/index.ts'
import { nsmClientConfig } from '../../../pkg/config/index.ts'
import { TokenMinter } from '../../../pkg/identity/index.ts'
import { Channel, networkServiceClient, workloadApiSource } from '../../../pkg/rpc/index.ts'
import { LIFETIME_MS, type LoadOrder, type LoadReport } from './load-order.ts'

const REQUEST_MS = 60_000

const { connectTo, workloadApi } = nsmClientConfig.read({ ...process.env, NSM_NETWORK_SERVICES: 'unused' })
const signal = AbortSignal.timeout(30_000)
const identity = await workloadApiSource({ url: workloadApi, clock: systemClock, logger: silentLogger, signal })
const tokens = new TokenMinter(systemClock, LIFETIME_MS)
const channel = new Channel(connectTo, { security: { identity }, tokens, clock: systemClock })
const client = networkServiceClient(channel)

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await obey(JSON.parse(line)).catch((error: unknown) => ({ error: String(error) }))))
}
channel.close()
await identity.close()

async function obey(order: LoadOrder): Promise<LoadReport> {
  const { first, count, atATime } = order
  const openMs: number[] = []
  const left = Array.from({ length: count }, (_, index) => first + index).values()
  const work = async () => {
    for (const index of left) openMs.push(await openOne(index, order))
  }
  const startMs = performance.now()
  await Promise.all(Array.from({ length: atATime }, work))
  return { openMs, seconds: (performance.now() - startMs) / 1_000 }
}

async function openOne(index: number, { service, isClosed }: LoadOrder): Promise<number> {
  const id = `load-${index}`
  const connection = {
    id,
    networkService: service,
    mechanism: undefined,
    context: emptyContext,
    labels: {},
    path: { index: 0, segments: [{ name: 'load', id, token: '', expiresMs: undefined, metrics: {} }] },
    endpointName: '',
    payload: '' as const,
    state: 'UP' as const,
  }
  const preference = { cls: 'LOCAL', type: 'KERNEL', parameters: { name: `w${index}` } }
  const until = () => ({ signal: AbortSignal.timeout(REQUEST_MS) })
  const startMs = performance.now()
  const opened = await client.request({ connection, mechanismPreferences: [preference] }, until())
  const openMs = performance.now() - startMs
  if (isClosed) await client.close(opened, until())
  return openMs
}
