/** What a measurement gives, and which values cannot be the truth. */
import { availableParallelism } from 'node:os'

export interface Figure {
  readonly name: string
  readonly unit: string
  /** More is not possible on this machine, whatever is measured. */
  readonly most?: number
}

/** All cores, in percent of one. */
export const MOST_CPU_PERCENT = 100 * availableParallelism()

/** Why the value cannot be true: it is a fault of the bench then. Undefined when it can. */
export function faultOf({ name, unit, most = Number.POSITIVE_INFINITY }: Figure, value: number): string | undefined {
  const said = `${name} is ${value} ${unit}`
  if (!Number.isFinite(value)) return `${said}: that is no number`
  if (value <= 0) return `${said}: it must be more than 0`
  return value <= most ? undefined : `${said}: no more than ${most} is possible`
}
