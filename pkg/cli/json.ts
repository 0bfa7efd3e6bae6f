import { type ProtoTime, timeFromProto } from '../api/index.ts'

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** Converts a message to JSON: times to ISO 8601, bytes to base64, bigints to numbers if exact, else to text. */
export function toJson(value: unknown): JsonValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`
  if (typeof value !== 'object') return typeof value === 'number' || typeof value === 'boolean' ? value : String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, entry]) => [String(key), toJson(entry)]))
  if (isTimestamp(value)) return timeText(value)
  const entries = Object.entries(value).filter(([key, entry]) => entry !== undefined && !key.startsWith('$'))
  return Object.fromEntries(
    entries.map(([key, entry]) => [key.endsWith('Ms') ? key.slice(0, -2) : key, time(key, entry)]),
  )
}

/** Numbers whose name ends in `Ms` are times in milliseconds since the epoch. */
function time(key: string, value: unknown): JsonValue {
  return key.endsWith('Ms') && typeof value === 'number' ? new Date(value).toISOString() : toJson(value)
}

function isTimestamp(value: object): value is ProtoTime {
  return 'seconds' in value && 'nanos' in value && typeof value.seconds === 'bigint' && typeof value.nanos === 'number'
}

function timeText(time: ProtoTime): string {
  return new Date(timeFromProto(time)).toISOString()
}
