/**
 * A client that does as it is told, over one channel: run in a workload's namespace. Each line on its standard input is
 * a {@link LoadOrder}; each is answered by one line, a {@link LoadReport}.
 */
import { createInterface } from 'node:readline'
import { type Connection, emptyContext } from '../../../pkg/api/index.ts'
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

async function obey({ service, first, count, atATime, closed }: LoadOrder): Promise<LoadReport> {
  const openMs: number[] = []
  const opened: Connection[] = []
  const left = Array.from({ length: count }, (_, index) => first + index).values()
  const work = async () => {
    for (const index of left) {
      const startMs = performance.now()
      const connection = await open(service, index)
      openMs.push(performance.now() - startMs)
      if (closed === 'each') await client.close(connection, soon())
      else opened.push(connection)
    }
  }
  const startMs = performance.now()
  await Promise.all(Array.from({ length: atATime }, work))
  const seconds = (performance.now() - startMs) / 1_000
  if (closed === 'all') for (const connection of opened) await client.close(connection, soon())
  return { openMs, seconds }
}

function open(service: string, index: number): Promise<Connection> {
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
  return client.request({ connection, mechanismPreferences: [preference] }, soon())
}

function soon() {
  return { signal: AbortSignal.timeout(REQUEST_MS) }
}
