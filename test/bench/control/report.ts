/** What a run of the control plane found, for people and for programs. */
import { formatFigure, machine } from '../report.ts'

/** Metric name to value. */
export type ControlResults = ReadonlyMap<string, number>

export function controlReport(results: ControlResults): string {
  const rows = [...results].map(([name, value]) => `${name.padEnd(44)} ${formatFigure(value).padStart(8)}`)
  return [...rows, '', machine()].join('\n')
}

export function controlLines(results: ControlResults): string {
  return [...results].map(([metric, value]) => JSON.stringify({ metric, value })).join('\n')
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
  const rows = [...results].map(([name, value]) => `| ${name} | ${formatFigure(value)} |`)
  return [`${machine()}.`, '', '|  |  |', '| --- | --- |', ...rows].join('\n')
}
