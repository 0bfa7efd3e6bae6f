/** What a steady ping saw of an outage. */
import type { Host } from '../../lab/host.ts'

export const INTERVAL_MS = 10

export interface PingGap {
  readonly sent: number
  readonly lost: number
  /** The longest time without an answer, beyond the interval of the pings. */
  readonly blackoutMs: number
}

/** Pings `ip` for so long, with the time of each answer. */
export async function pingFor(host: Host, ip: string, ms: number): Promise<PingGap> {
  const count = `${Math.round(ms / INTERVAL_MS)}`
  // It goes on while the interface is away: what it cannot send is lost, too.
  const command = ['ping', '-n', '-D', '-i', `${INTERVAL_MS / 1_000}`, '-c', count, '-W', '1', ip]
  const { stdout } = await host.tryRun(command, { timeoutMs: ms + 10_000 })
  return readPing(stdout, Number(count))
}

/** Pings whose answers are still under way at the end are not counted. */
export function readPing(output: string, count: number): PingGap {
  const answers = [...output.matchAll(/^\[(\d+(?:\.\d+)?)\] .*icmp_seq=(\d+) .*time=/gm)].map(
    ([, seconds, sequence]) => ({
      ms: Number(seconds) * 1_000,
      sequence: Number(sequence),
    }),
  )
  const last = answers.at(-1)?.sequence ?? 0
  const seen = new Set(answers.map(({ sequence }) => sequence))
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  const gaps = times.slice(1).map((ms, index) => ms - (times[index] ?? ms))
  const isBack = last >= count - 50
  const longestMs = Math.max(0, ...gaps.map((gap) => gap - INTERVAL_MS))
  return { sent: count, lost: last - seen.size, blackoutMs: isBack ? longestMs : Number.POSITIVE_INFINITY }
}
