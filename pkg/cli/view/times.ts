import { type ProtoTime, timeFromProto } from '../../api/index.ts'

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** Milliseconds since the epoch; undefined for a time that is not set. */
export function timestampMs(time: ProtoTime | undefined): number | undefined {
  return time === undefined ? undefined : timeFromProto(time)
}

/** Formats a duration with its two largest units: `3m12s`, `5s`, `2d4h`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`
  const first = UNITS.findIndex(([, unitMs]) => ms >= unitMs)
  let leftMs = ms
  return UNITS.slice(first, first + 2)
    .map(([name, unitMs]) => {
      const count = Math.floor(leftMs / unitMs)
      leftMs -= count * unitMs
      return count === 0 ? '' : `${count}${name}`
    })
    .join('')
}

export function bytesText(bytes: bigint | number): string {
  const value = Number(bytes)
  if (value < 1024) return `${value} B`
  const exponent = Math.min(4, Math.floor(Math.log2(value) / 10))
  return `${(value / 1024 ** exponent).toFixed(1)} ${'KMGT'[exponent - 1]}iB`
}
