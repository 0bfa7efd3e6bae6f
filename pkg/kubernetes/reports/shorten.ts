import { toPrintable } from '../../base/index.ts'

/** As long as the API server lets the note of an event be. */
const MOST_BYTES = 1_024

/** What others may have written, as a text that the API server takes. */
export function shorten(text: string): string {
  const bytes = Buffer.from(toPrintable(text))
  // A character that was cut in two is left out.
  return new TextDecoder().decode(bytes.subarray(0, MOST_BYTES), { stream: true })
}
