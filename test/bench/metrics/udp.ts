/** UDP in one direction: the most packets a second of which at most 0.1 % are lost. */

import type { Conditions } from '../metrics.ts'
import { highestRate } from '../search.ts'
import type { Path } from '../system.ts'
import { UDP_LOAD } from '../tools.ts'

export const UDP_LOAD_PORT = 5202
/** IPv4 and UDP; the sizes in the metrics' names are those of the whole inner packet. */
const HEADER_BYTES = 28
const MOST_LOSS = 0.001
/** A sender that falls short of the rate has not tried it. */
const LEAST_SENT = 0.98
/** Reading that goes on longer than sending did was a queue that filled up, not a rate that was carried. */
const SLACK = { times: 1.03, seconds: 0.01 }
const FIRST = { start: 20_000, step: 2 }
const AGAIN = { start: 0.93, step: 1.15 }

/** What one trial of nsm-udp-load says. */
export interface Trial {
  readonly asked: number
  readonly sent: number
  readonly lost: number
  readonly sendSeconds: number
  readonly receiveSeconds: number
}

export function isCarried({ asked, sent, lost, sendSeconds, receiveSeconds }: Trial): boolean {
  if (sent < asked * LEAST_SENT || lost > sent * MOST_LOSS) return false
  return receiveSeconds <= sendSeconds * SLACK.times + SLACK.seconds
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
  const carries = async (rate: number) => isCarried(await trial(path, { packetBytes, rate, seconds: trialSeconds }))
  const rate = await highestRate(carries, { ...begin, precision, least: 500, most: 5_000_000 })
  rates.set(packetBytes, rate)
  return rate
}

async function trial(
  { client, address }: Path,
  { packetBytes, rate, seconds }: { packetBytes: number; rate: number; seconds: number },
): Promise<Trial> {
  const to = ['--ip', address, '--port', `${UDP_LOAD_PORT}`, '--bytes', `${packetBytes - HEADER_BYTES}`]
  const how = ['--rate', `${Math.round(rate)}`, '--seconds', `${seconds}`, '--warm-up', `${seconds / 2}`]
  return JSON.parse(await client.run([UDP_LOAD, 'send', ...to, ...how]))
}
