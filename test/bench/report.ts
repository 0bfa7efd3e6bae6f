/** What a run found, for programs and for people. */
import { cpus, release } from 'node:os'
import type { Figure } from './figures.ts'
import { median } from './quantile.ts'
import { type Reached, reached } from './targets.ts'

/** Metric name to system name to what each round gave. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>

/** What the others are compared with. */
export const BASE = 'wireguard-go'

export function jsonLines(results: Results): string {
  const lines = [...results].flatMap(([metric, bySystem]) =>
    [...bySystem].map(([system, rounds]) => JSON.stringify({ metric, system, median: median(rounds), rounds })),
  )
  return lines.join('\n')
}

/** Of the foreign systems, by name. */
export type Versions = ReadonlyMap<string, string>

export function versionLines(versions: Versions): string {
  return [...versions].map(([system, version]) => JSON.stringify({ system, version })).join('\n')
}

/** What versionLines wrote. */
export function readVersionLines(text: string): Versions {
  return new Map(linesOf(text).flatMap(({ system, version }) => (version === undefined ? [] : [[system, version]])))
}

/** `wireguard-go v1, nebula v2` */
export function formatVersions(versions: Versions): string {
  return [...versions].map(([system, version]) => `${system} ${version}`).join(', ')
}

/** What jsonLines wrote; lines of other kinds may stand between. */
export function readJsonLines(text: string): Results {
  const results = new Map<string, Map<string, readonly number[]>>()
  for (const { metric, system, rounds } of linesOf(text)) {
    if (metric === undefined) continue
    const bySystem = results.get(metric) ?? new Map<string, readonly number[]>()
    results.set(metric, bySystem.set(system, rounds))
  }
  return results
}

function linesOf(text: string) {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** A row a figure, a column a system, in brackets how many times wireguard-go's it is; then the targets. */
export function report(results: Results, figures: readonly Figure[], systems: readonly string[]): string {
  const shown = figures.filter(({ name }) => (results.get(name)?.size ?? 0) > 0)
  const rows = shown.map(({ name, unit }) => [
    `${name} (${unit})`,
    ...systems.map((system) => cell(results, name, system)),
  ])
  return [table([['', ...systems], ...rows]), '', machine(), '', ...targetLines(reached(results))].join('\n').trimEnd()
}

/** What the figures stand for: this machine alone. */
export function machine(): string {
  const [cpu] = cpus()
  const cores = `${cpus().length} x ${cpu?.model.trim() ?? 'unknown CPU'}`
  return `${cores}, Linux ${release()}; both ends, the tunnels and the load share these cores`
}

/** At most four digits that matter. */
export function formatFigure(value: number): string {
  if (value >= 1_000_000) return `${(value / 1_000_000).toFixed(2)} M`
  if (value >= 10_000) return `${(value / 1_000).toFixed(0)} k`
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toPrecision(2)
}

function cell(results: Results, metric: string, system: string): string {
  const own = median(results.get(metric)?.get(system) ?? [])
  if (Number.isNaN(own)) return ''
  const base = median(results.get(metric)?.get(BASE) ?? [])
  const ratio = Number.isNaN(base) || system === BASE ? '' : ` (${formatFigure(own / base)}x)`
  return `${formatFigure(own)}${ratio}`
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const line = (row: readonly string[]) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}

function targetLines(all: readonly Reached[]): readonly string[] {
  return all.map(({ target, value, isMet }) => {
    const { metric, system, against, unit = 'times', bound } = target
    const wanted = 'least' in bound ? `>= ${bound.least}` : `<= ${bound.most}`
    const what = [metric, system, against === undefined ? [] : ['against', against]].flat().join(' ')
    return `${isMet ? 'met    ' : 'NOT MET'}  ${what}: ${formatFigure(value)} ${unit}, target ${wanted}`
  })
}
