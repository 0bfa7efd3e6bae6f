/**
 * Opens and closes wires at a steady rate, as a workload does; run in its namespace. Each wire is asked for until it stands
 * or its patience ends, is held for a moment, and closed. Prints one JSON line at the end: {@link Tally}.
 *     client.ts SERVICE SECONDS A-SECOND
 */
import { errorCode, silentLogger, systemClock } from '../../pkg/base/index.ts'
import { parseNsmUrl } from '../../pkg/client/index.ts'
import { firstRequest } from '../../pkg/client/requests.ts'
import { nsmClientConfig } from '../../pkg/config/index.ts'
import { Channel, networkServiceClient, workloadApiSource } from '../../pkg/rpc/index.ts'

export interface Tally {
  readonly opened: number
  readonly closed: number
  /** Requests and closes that were tried again, by the code of their error. */
  readonly retries: Readonly<Record<string, number>>
  /** What was given up, with the last error. */
  readonly lost: readonly string[]
  /** Milliseconds until a wire stood, its retries included. */
  readonly p50Ms: number
  readonly p99Ms: number
}

const PATIENCE_MS = 20_000
const CALL_MS = 5_000
const PAUSE_MS = 100
const HOLD_MS = 200

const [service = '', seconds = '0', perSecond = '0'] = process.argv.slice(2)
const { connectTo, workloadApi } = nsmClientConfig.read({ ...process.env, NSM_NETWORK_SERVICES: 'unused' })
const signal = AbortSignal.timeout(60_000)
const identity = await workloadApiSource({ url: workloadApi, clock: systemClock, logger: silentLogger, signal })
const channel = new Channel(connectTo, { security: { identity }, clock: systemClock })
const client = networkServiceClient(channel)

const retries: Record<string, number> = {}
const lost: string[] = []
const tookMs: number[] = []
let closed = 0

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function patiently<T>(what: string, attempt: () => Promise<T>): Promise<T | undefined> {
  for (const untilMs = performance.now() + PATIENCE_MS; ; ) {
    try {
      return await attempt()
    } catch (error) {
      const code = errorCode(error)
      retries[code] = (retries[code] ?? 0) + 1
      if (performance.now() > untilMs) return void lost.push(`${what}: ${error}`)
    }
    await pause(PAUSE_MS)
  }
}

async function openAndClose(number: number): Promise<void> {
  const id = `soak-${number}`
  const url = parseNsmUrl(`kernel://${service}/s${number}`)
  const request = firstRequest({ client: 'soak', id, url, labels: {} })
  const startMs = performance.now()
  const wire = await patiently(`request of ${id}`, () =>
    client.request(request, { signal: AbortSignal.timeout(CALL_MS) }),
  )
  if (wire === undefined) return
  tookMs.push(performance.now() - startMs)
  await pause(HOLD_MS)
  const isClosed = await patiently(`close of ${id}`, async () => {
    await client.close(wire, { signal: AbortSignal.timeout(CALL_MS) })
    return true
  })
  if (isClosed) closed += 1
}

const running = new Set<Promise<void>>()
const intervalMs = 1_000 / Number(perSecond)
const endMs = performance.now() + Number(seconds) * 1_000
for (let number = 0, nextMs = performance.now(); nextMs < endMs; number += 1, nextMs += intervalMs) {
  await pause(Math.max(0, nextMs - performance.now()))
  const one = openAndClose(number).finally(() => running.delete(one))
  running.add(one)
}
await Promise.all(running)

tookMs.sort((a, b) => a - b)
const quantile = (q: number) => Math.round(tookMs[Math.floor(q * (tookMs.length - 1))] ?? 0)
const tally: Tally = { opened: tookMs.length, closed, retries, lost, p50Ms: quantile(0.5), p99Ms: quantile(0.99) }
console.log(JSON.stringify(tally))
channel.close()
await identity.close()
