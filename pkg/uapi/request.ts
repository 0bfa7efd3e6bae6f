/**
 * Requests of WireGuard's cross-platform userspace configuration protocol (UAPI): `get=1` or `set=1`, key=value lines,
 * and an empty line. We answer get, and refuse set after reading it completely.
 */

/** How to answer a request: with the device, or with an errno. */
export type Verdict = 'get' | Errno
export type Errno = (typeof errno)[keyof typeof errno]

/** Negative, as the protocol requires. */
export const errno = { notPermitted: -1, ioError: -5, invalid: -22 } as const

/** Enough to read and refuse a `set=1` request with a few hundred peers. */
export const MAX_REQUEST_BYTES = 64 * 1024

const LINE = /^[a-z][a-z0-9_]*=[^\0]*$/

/** Reads one request in chunks of any size, and buffers only the incomplete line at the end. */
export class RequestReader {
  #operation: 'get=1' | 'set=1' | undefined
  #line = ''
  #bytes = 0

  /** @returns undefined while the request is not complete */
  push(chunk: string): Verdict | undefined {
    this.#bytes += chunk.length
    if (this.#bytes > MAX_REQUEST_BYTES) return errno.invalid
    const lines = (this.#line + chunk).split('\n')
    this.#line = lines.pop() ?? ''
    for (const line of lines) {
      const verdict = this.#take(line)
      if (verdict !== undefined) return verdict
    }
    return undefined
  }

  #take(line: string): Verdict | undefined {
    if (this.#operation === undefined) {
      if (line !== 'get=1' && line !== 'set=1') return errno.invalid
      this.#operation = line
      return undefined
    }
    if (line === '') return this.#operation === 'get=1' ? 'get' : errno.notPermitted
    return this.#operation === 'set=1' && LINE.test(line) ? undefined : errno.invalid
  }
}
