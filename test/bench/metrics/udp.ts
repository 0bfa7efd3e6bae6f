/** UDP in one direction: the most packets a second of which at most 0.1 % are lost. */

import { fractionalSeconds, limitMs } from '../durations.ts'
import type { Conditions } from '../metrics.ts'
import { highestRate } from '../search.ts'
import type { Path } from '../system.ts'
import { UDP_LOAD } from '../tools.ts'

export const UDP_LOAD_PORT = 5202
/** IPv4 and UDP; the sizes in the metrics' names are those of the whole inner packet. */
const HEADER_BYTES = 28
const MOST_LOSS = 0.001
/** Reading that goes on longer than sending did was a queue that filled up, not a rate that was carried. */
const SLACK = { times: 1.03, seconds: 0.01 }
const FIRST = { start: 40_000, step: 2 }
const AGAIN = { start: 0.9, step: 1.3 }

/** What one trial of nsm-udp-load says. */
export interface Trial {
  readonly sent: number
  readonly lost: number
  readonly sendSeconds: number
  readonly receiveSeconds: number
}

/** Packets a second that were sent, if they were carried too; else 0. */
export function carriedRate({ sent, lost, sendSeconds, receiveSeconds }: Trial): number {
  if (lost > sent * MOST_LOSS || receiveSeconds > sendSeconds * SLACK.times + SLACK.seconds) return 0
  return sent / sendSeconds
}

/** What a path carried last time: the next search begins there. */
const found = new WeakMap<Path, Map<number, number>>()

/** @param packetBytes of the inner IP packet */
export async function udpRate(
  path: Path,
  packetBytes: number,
  { trialSeconds, precision }: Conditions,
): Promise<number> {
  const rates = found.get(path) ?? new Map<number, number>()
  found.set(path, rates)
  const last = rates.get(packetBytes)
  const begin = last ? { start: last * AGAIN.start, step: AGAIN.step } : FIRST
  const attempt = async (rate: number) => carriedRate(await trial(path, { packetBytes, rate, seconds: trialSeconds }))
  const rate = await highestRate(attempt, { ...begin, precision, least: 500, most: 5_000_000 })
  rates.set(packetBytes, rate)
  return rate
}

async function trial(
  { client, address }: Path,
  { packetBytes, rate, seconds }: { packetBytes: number; rate: number; seconds: number },
): Promise<Trial> {
  const to = ['--ip', address, '--port', `${UDP_LOAD_PORT}`, '--bytes', `${packetBytes - HEADER_BYTES}`]
  const how = ['--rate', `${Math.round(rate)}`, '--seconds', fractionalSeconds(seconds)]
  const warmUp = ['--warm-up', fractionalSeconds(seconds / 2)]
  const options = { timeoutMs: limitMs(1.5 * seconds) }
  return JSON.parse(await client.run([UDP_LOAD, 'send', ...to, ...how, ...warmUp], options))
}
