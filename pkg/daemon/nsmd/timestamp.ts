/** Milliseconds since the epoch as the generated messages want them. */
export function timestamp(ms: number): { readonly seconds: bigint; readonly nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor(ms % 1000) * 1_000_000 }
}
