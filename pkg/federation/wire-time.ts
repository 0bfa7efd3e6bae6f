/** Milliseconds to and from protobuf's Timestamp and Duration. */
interface SecondsAndNanos {
  seconds: bigint
  nanos: number
}

export function fromMs(ms: number): SecondsAndNanos {
  const seconds = Math.floor(ms / 1000)
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) }
}

export function toMs({ seconds, nanos }: SecondsAndNanos): number {
  return Number(seconds) * 1000 + nanos / 1e6
}
