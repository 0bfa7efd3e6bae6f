import { randomInt } from 'node:crypto'
import { MAX_INTERFACE_NAME_BYTES } from '../net/index.ts'

const SERVICE_CHARS = 10
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'

/**
 * A name for an interface when the workload gave none: the first 10 characters of the service, a dash, and random
 * characters up to the 15 that the kernel takes.
 *
 * @param draw a number from 0 to `below - 1`
 */
export function generateInterfaceName(service: string, draw: (below: number) => number = randomInt): string {
  const prefix = `${service.slice(0, SERVICE_CHARS).replaceAll(/[^A-Za-z0-9._-]/g, '-')}-`
  const random = Array.from({ length: MAX_INTERFACE_NAME_BYTES - prefix.length }, () => ALPHABET[draw(ALPHABET.length)])
  return prefix + random.join('')
}
