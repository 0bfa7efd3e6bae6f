/** The tables of docs/performance.md: what each system reaches, and what was to be reached. */
import { median } from './quantile.ts'
import { BASE, formatFigure, formatVersions, machine, type Results, type Versions } from './report.ts'
import { reached } from './targets.ts'

const COLUMNS = [
  ['tcp_1_gbps', 'TCP, 1 stream, Gb/s'],
  ['tcp_4_gbps', '4 streams'],
  ['tcp_rr', 'TCP, 1 byte each way, 1/s'],
  ['udp_64_pps', 'UDP 64, 1/s'],
  ['udp_1400_pps', 'UDP 1400, 1/s'],
  ['rtt_idle_p50_us', 'round trip p50, µs'],
  ['rtt_load_p99_us', 'p99 under load, µs'],
  ['cpu_s_per_gbit', 'CPU s per Gb'],
] as const

export function markdown(results: Results, systems: readonly string[], versions: Versions): string {
  const head = ['', ...COLUMNS.map(([, title]) => title)]
  const rows = systems.map((system) => [system, ...COLUMNS.map(([metric]) => cell(results, metric, system))])
  const rounds = Math.max(...[...(results.get('tcp_1_gbps')?.values() ?? [])].map(({ length }) => length))
  const speeds = [line(head), line(head.map(() => '---')), ...rows.map(line)]
  return [
    `${machine()}. Medians of ${rounds} rounds, in brackets times ${BASE}'s figure; ${formatVersions(versions)}.`,
    '',
    ...speeds,
    '',
    ...targets(results),
  ].join('\n')
}

function cell(results: Results, metric: string, system: string): string {
  const of = (name: string) => median(results.get(metric)?.get(name) ?? [])
  const value = of(system)
  if (Number.isNaN(value)) return ''
  return system === BASE ? formatFigure(value) : `${formatFigure(value)} (${formatFigure(value / of(BASE))}x)`
}

function targets(results: Results): readonly string[] {
  const rows = reached(results).map(({ target, value, isMet }) => {
    const { metric, system, against, unit, bound } = target
    const wanted = 'least' in bound ? `≥ ${bound.least}` : `≤ ${bound.most}`
    const what = against === undefined ? `${metric}, ${system}` : `${metric}, ${system} against ${against}`
    return line([what, `${wanted} ${unit ?? 'times'}`, formatFigure(value), isMet ? 'yes' : 'no'])
  })
  return [line(['', 'target', 'reached', 'met']), line(['---', '---', '---', '---']), ...rows]
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
