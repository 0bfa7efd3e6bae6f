import { randomBytes } from 'node:crypto'

/** `nse-…` or `netsvc-…` with 80 random bits, for a registration without a name. */
export function generateName(kind: 'nse' | 'netsvc'): string {
  return `${kind}-${randomBytes(10).toString('hex')}`
}
