/** What a run of the control plane found, for people and for programs. */
import { formatFigure, machine } from '../report.ts'
import { goalOf, isReached } from './goals.ts'

/** Metric name to value. */
export type ControlResults = ReadonlyMap<string, number>

export function controlReport(results: ControlResults): string {
  const rows = [...results].map(([name, value]) => {
    return `${name.padEnd(44)} ${formatFigure(value).padStart(8)}  ${goalText(results, name)}`.trimEnd()
  })
  return [...rows, '', machine()].join('\n')
}

/** What is to be reached, and whether it is. */
function goalText(results: ControlResults, name: string): string {
  const goal = goalOf(name, results)
  if (goal === undefined) return ''
  const isMet = isReached(goal, results.get(name) ?? Number.NaN)
  return `${isMet ? 'met    ' : 'NOT MET'}  at ${goal.bound} ${formatFigure(goal.value)}`
}

export function controlLines(results: ControlResults): string {
  const lines = [...results].map(([metric, value]) => ({ metric, value, goal: goalOf(metric, results) }))
  return lines.map((line) => JSON.stringify(line)).join('\n')
}

/** What controlLines wrote; lines of other kinds may stand between. */
export function readControlLines(text: string): ControlResults {
  const lines = text.split('\n').filter((line) => line !== '')
  return new Map(
    lines
      .map((line) => JSON.parse(line))
      .flatMap(({ metric, value }) => (value === undefined ? [] : [[metric, value]])),
  )
}

export function controlMarkdown(results: ControlResults): string {
  const rows = [...results].map(([name, value]) => {
    const goal = goalOf(name, results)
    return `| ${name} | ${formatFigure(value)} | ${goal === undefined ? '' : `${goal.bound} ${formatFigure(goal.value)}`} |`
  })
  return [`${machine()}.`, '', '|  | measured | goal |', '| --- | --- | --- |', ...rows].join('\n')
}
