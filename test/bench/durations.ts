/** Durations as the bench's tools can express them: what they would take for something else is refused. */

/** For iperf3, which drops fractions of a second and takes 0 for "without end". @throws {RangeError} */
export function wholeSeconds(seconds: number): string {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 86_400) return `${seconds}`
  throw new RangeError(`Cannot tell iperf3 to run for ${seconds} s: it knows whole seconds from 1`)
}

/** For the bench's own load tools. @throws {RangeError} */
export function fractionalSeconds(seconds: number): string {
  if (seconds >= 0.01 && seconds <= 3_600) return seconds.toFixed(3)
  throw new RangeError(`Cannot run a load tool for ${seconds} s: it knows 0.01 to 3600`)
}

/** How long a program may take that is told to work for so long. */
export function limitMs(seconds: number): number {
  return seconds * 1_000 + 10_000
}
