/** The common shape of protobuf's Timestamp and Duration. */
export interface ProtoTime {
  readonly seconds: bigint
  /** 0 to 999,999,999, also for times before 1970. */
  readonly nanos: number
}

export function timeToProto(ms: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(ms / 1000)
  return { seconds: BigInt(seconds), nanos: Math.floor(ms - seconds * 1000) * 1e6 }
}

/** Truncates to whole milliseconds. */
export function timeFromProto({ seconds, nanos }: ProtoTime): number {
  return Number(seconds) * 1000 + Math.floor(nanos / 1e6)
}
