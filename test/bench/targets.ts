/** What this dataplane is to reach, as ratios within one run; the one list. */
import { median } from './quantile.ts'
import type { Results } from './report.ts'

export interface Target {
  readonly metric: string
  readonly system: string
  /** The figure is a ratio to this system's; without it, it stands for itself. */
  readonly against?: string
  /** What it is measured in where there is nothing to compare with. */
  readonly unit?: string
  readonly bound: { readonly least: number } | { readonly most: number }
}

export const TARGETS: readonly Target[] = [
  { metric: 'tcp_1_gbps', system: 'nsmesh-aes', against: 'wireguard-go', bound: { least: 3 } },
  { metric: 'tcp_1_gbps', system: 'nsmesh-aes', against: 'nebula', bound: { least: 6 } },
  { metric: 'udp_64_pps', system: 'nsmesh-aes', against: 'nebula', bound: { least: 2 } },
  { metric: 'udp_64_pps', system: 'nsmesh-aes', against: 'wireguard-go', bound: { least: 5 } },
  { metric: 'tcp_1_gbps', system: 'nsmesh-chacha', against: 'wireguard-go', bound: { least: 2 } },
  { metric: 'tcp_1_gbps', system: 'nsmesh-aes', against: 'nsmesh-plain', bound: { least: 0.78 } },
  { metric: 'tcp_1_gbps', system: 'nsmesh-vxlan', against: 'kernel-vxlan', bound: { least: 0.3 } },
  { metric: 'rtt_idle_p50_us', system: 'nsmesh-aes', against: 'wireguard-go', bound: { most: 0.6 } },
  { metric: 'rtt_load_p99_us', system: 'nsmesh-aes', against: 'wireguard-go', bound: { most: 0.3 } },
  { metric: 'handshakes_per_s', system: 'nsmesh-aes', unit: 'a second and core', bound: { least: 5_000 } },
  { metric: 'wires_memory_kib_10000', system: 'nsmesh-aes', unit: 'KiB a wire', bound: { most: 16 } },
  { metric: 'wires_idle_cpu_percent', system: 'nsmesh-aes', unit: '% of a core', bound: { most: 1 } },
  { metric: 'wires_active_ratio', system: 'nsmesh-aes', unit: 'of an only wire', bound: { least: 0.9 } },
]

export interface Reached {
  readonly target: Target
  readonly value: number
  readonly isMet: boolean
}

/** Targets whose figures were measured. */
export function reached(results: Results, targets: readonly Target[] = TARGETS): readonly Reached[] {
  return targets.flatMap((target) => {
    const value = ratioOf(results, target)
    if (Number.isNaN(value)) return []
    const { bound } = target
    return [{ target, value, isMet: 'least' in bound ? value >= bound.least : value <= bound.most }]
  })
}

function ratioOf(results: Results, { metric, system, against }: Target): number {
  const of = (name: string) => median(results.get(metric)?.get(name) ?? [])
  return against === undefined ? of(system) : of(system) / of(against)
}
