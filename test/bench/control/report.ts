/** What a run of the control plane found. */
import { formatFigure, machine } from '../report.ts'

export function controlReport(results: ReadonlyMap<string, number>): string {
  const rows = [...results].map(([name, value]) => `${name.padEnd(44)} ${formatFigure(value).padStart(8)}`)
  return [...rows, '', machine()].join('\n')
}
