/** Bodies of answers, bounded: nothing that the API server sends can fill the memory of a node. */
import { NsmError } from '../base/index.ts'

/** @throws {NsmError} `resource_exhausted` when it is longer than `maxBytes` */
export async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body) {
    bytes += part.length
    if (bytes > maxBytes) throw tooLong(maxBytes)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Yields each line of a body without its line feed. What follows the last line feed was cut off, and is left out. */
export async function* readLines(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body) {
    let start = 0
    for (let end = part.indexOf(0x0a); end >= 0; end = part.indexOf(0x0a, start)) {
      parts.push(part.subarray(start, end))
      yield Buffer.concat(parts).toString('utf8')
      parts = []
      bytes = 0
      start = end + 1
    }
    if (start === part.length) continue
    parts.push(part.subarray(start))
    bytes += part.length - start
    if (bytes > maxBytes) throw tooLong(maxBytes)
  }
}

function tooLong(maxBytes: number): NsmError {
  return new NsmError('resource_exhausted', 'Cannot read the answer of the API server: it is too long', {
    fields: { maxBytes },
  })
}
