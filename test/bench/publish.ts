/**
 * Writes the tables of docs/performance.md and docs/speed.svg from what `hack/bench --json` printed:
 *
 *     ./hack/bench dataplane --json | ./hack/bench publish
 *     ./hack/bench control --json | ./hack/bench publish
 *
 * To be run on the machine that was measured: its facts go into the text.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { ROOT } from '../lab/programs.ts'
import { controlMarkdown, readControlLines } from './control/report.ts'
import { markdown } from './markdown.ts'
import { picture } from './picture.ts'
import { readJsonLines, readVersionLines } from './report.ts'
import { SYSTEMS } from './systems.ts'

const PAGE = `${ROOT}/docs/performance.md`
const SPEED_MARKS = ['<!-- speed: written by hack/bench publish -->', '<!-- /speed -->'] as const
const CONTROL_MARKS = ['<!-- control: written by hack/bench publish -->', '<!-- /control -->'] as const
const CHARTS = [
  { metric: 'tcp_1_gbps', title: 'TCP, 1 stream, Gb/s' },
  { metric: 'udp_64_pps', title: 'UDP, packets of 64 bytes, highest rate with at most 0.1 % loss, per second' },
  { metric: 'rtt_idle_p50_us', title: 'round trip, idle, median, microseconds: shorter is better' },
]

const text = readFileSync(0, 'utf8')
const control = readControlLines(text)
if (control.size > 0) writeBetween(CONTROL_MARKS, controlMarkdown(control))
else publishDataplane()

function publishDataplane(): void {
  const results = readJsonLines(text)
  const systems = SYSTEMS.map(({ name }) => name)
  writeBetween(SPEED_MARKS, markdown(results, systems, readVersionLines(text)))
  writeFileSync(`${ROOT}/docs/speed.svg`, picture(results, CHARTS, systems))
}

function writeBetween([beginMark, endMark]: readonly [string, string], table: string): void {
  const page = readFileSync(PAGE, 'utf8')
  const [begin, end] = [page.indexOf(beginMark), page.indexOf(endMark)]
  if (begin < 0 || end < begin)
    throw new Error(`docs/performance.md has no ${beginMark} and ${endMark} to write between`)
  writeFileSync(PAGE, `${page.slice(0, begin)}${beginMark}\n${table}\n${page.slice(end)}`)
}
