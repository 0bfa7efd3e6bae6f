import { randomBytes } from 'node:crypto'

/** `nse-…` or `netsvc-…` for who registers without a name, with 80 random bits. */
export function generateName(kind: 'nse' | 'netsvc'): string {
  return `${kind}-${randomBytes(10).toString('hex')}`
}
