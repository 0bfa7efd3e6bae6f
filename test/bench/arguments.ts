/** What hack/bench was asked for. */
import { parseArgs } from 'node:util'
import type { EFFORTS } from './effort.ts'

export interface Arguments {
  readonly effort: keyof typeof EFFORTS
  readonly isJson: boolean
  /** None: all. */
  readonly metrics: readonly string[]
  readonly systems: readonly string[]
}

/** @throws {Error} with a sentence that says what there is instead */
export function readArguments(
  args: readonly string[],
  known: { readonly metrics: readonly string[]; readonly systems: readonly string[] },
): Arguments {
  const several = { type: 'string', multiple: true } as const
  const flag = { type: 'boolean' } as const
  const options = { quick: flag, smoke: flag, json: flag, metric: several, system: several }
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  const unknown = positionals.filter((name) => name !== 'dataplane')
  if (unknown.length > 0) throw new Error(`there is no bench ${unknown.join(', ')}`)
  const { metric: metrics = [], system: systems = [] } = values
  check('metric', metrics, known.metrics)
  check('system', systems, known.systems)
  const effort = values.smoke === true ? 'smoke' : values.quick === true ? 'quick' : 'whole'
  return { effort, isJson: values.json === true, metrics, systems }
}

function check(what: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`there is no ${what} ${unknown.join(', ')}; there are ${known.join(', ')}`)
}
