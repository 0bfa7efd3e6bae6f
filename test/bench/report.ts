import { cpus, release } from 'node:os'
import { METRICS, quantile } from './metrics.ts'

/** Metric name to system name to what each round gave. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>

export function jsonLines(results: Results): string {
  const lines = [...results].flatMap(([metric, bySystem]) =>
    [...bySystem].map(([system, rounds]) => JSON.stringify({ metric, system, median: median(rounds), rounds })),
  )
  return lines.join('\n')
}

/** Systems as rows, figures as columns, and how many times wireguard-go's each figure is. */
export function tableOf(results: Results, systems: readonly string[]): string {
  const titles = ['', ...METRICS.map(({ name, unit }) => `${name} (${unit})`)]
  const rows = systems.map((system) => [system, ...METRICS.map(({ name }) => cell(results, name, system))])
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const lines = [titles, ...rows].map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const [cpu] = cpus()
  return [
    ...lines,
    '',
    `${cpus().length} x ${cpu?.model ?? 'unknown CPU'}, Linux ${release()}; both ends and the load on these cores`,
  ].join('\n')
}

function cell(results: Results, metric: string, system: string): string {
  const own = median(results.get(metric)?.get(system) ?? [])
  const base = median(results.get(metric)?.get('wireguard-go') ?? [])
  const value = own < 100 ? own.toFixed(2) : own.toFixed(0)
  return Number.isNaN(base) ? value : `${value} (${(own / base).toFixed(2)}x)`
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}
