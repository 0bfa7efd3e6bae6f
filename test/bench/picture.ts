/** The picture of docs/performance.md: for each chosen figure a bar a system, with its ratio to wireguard-go. */
import { median } from './quantile.ts'
import { BASE, formatFigure, type Results } from './report.ts'

export interface Chart {
  readonly metric: string
  readonly title: string
}

const WIDTH = 760
const BARS_X = 130
const BARS_WIDTH = 480
const ROW = 22
const CHART_GAP = 40
const TOP = 12

/** Readable on light and on dark ground: by the viewer's preference, and without any ground of its own. */
const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-weight: 600 }
    .ours { fill: #bc4c00 } .theirs { fill: #8c959f }
    @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #f0883e } .theirs { fill: #6e7681 } }
  `

export function picture(results: Results, charts: readonly Chart[], systems: readonly string[]): string {
  let y = TOP
  const parts = charts.map((chart) => {
    const rows = rowsOf(results, chart, systems)
    const part = drawChart(chart.title, rows, y)
    y += rows.length * ROW + CHART_GAP
    return part
  })
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}">`
  return `${head}\n  <style>${STYLE}</style>\n${parts.join('\n')}\n</svg>\n`
}

interface Row {
  readonly system: string
  readonly value: number
  readonly ratio: number
}

function rowsOf(results: Results, { metric }: Chart, systems: readonly string[]): readonly Row[] {
  const bySystem = results.get(metric)
  const base = median(bySystem?.get(BASE) ?? [])
  return systems.flatMap((system) => {
    const value = median(bySystem?.get(system) ?? [])
    return Number.isNaN(value) ? [] : [{ system, value, ratio: value / base }]
  })
}

function drawChart(title: string, rows: readonly Row[], top: number): string {
  const most = Math.max(...rows.map(({ value }) => value))
  const lines = rows.map(({ system, value, ratio }, index) => {
    const y = top + 12 + index * ROW
    const width = ((BARS_WIDTH * value) / most).toFixed(1)
    const side = system.startsWith('nsmesh') ? 'ours' : 'theirs'
    const label = `${formatFigure(value)}${Number.isNaN(ratio) || system === BASE ? '' : ` (${formatFigure(ratio)}x)`}`
    return [
      `  <text x="${BARS_X - 8}" y="${y + 14}" text-anchor="end">${system}</text>`,
      `  <rect class="${side}" x="${BARS_X}" y="${y + 2}" width="${width}" height="${ROW - 6}" rx="2"/>`,
      `  <text x="${(BARS_X + Number(width) + 8).toFixed(1)}" y="${y + 14}">${label}</text>`,
    ].join('\n')
  })
  return [`  <text class="title" x="${BARS_X}" y="${top + 6}">${title}</text>`, ...lines].join('\n')
}
