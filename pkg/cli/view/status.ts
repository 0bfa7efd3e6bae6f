import { styleText } from 'node:util'
import type { nodeV1 } from '../../api/index.ts'
import { toPrintable } from '../../base/index.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { table } from '../output.ts'
import type { Moment } from './lists.ts'
import { durationText, timestampMs } from './times.ts'

/** Facts about node, dataplane and wires, then all conditions; those with a problem come with a hint on what to do. */
export function statusText(status: nodeV1.NodeStatus, { nowMs }: Moment): string {
  const { dataplane } = status
  const features = [...(dataplane?.features ?? [])].map(([name, state]) => `${name}=${state}`)
  const facts = table([
    [
      'Node',
      `${status.name} in domain ${status.domain}, nsmesh ${status.version}, up ${durationText(nowMs - (timestampMs(status.started) ?? nowMs))}`,
    ],
    [
      'Identity',
      `${status.spiffeId}, expires in ${durationText((timestampMs(status.identityExpires) ?? nowMs) - nowMs)}`,
    ],
    ['Listening on', status.listen.join(', ')],
    [
      'Dataplane',
      `${dataplane?.version ?? 'unreachable'}, engine pid ${dataplane?.enginePid ?? '-'}, restarts ${dataplane?.engineRestarts ?? '-'}`,
    ],
    ['Offloads', features.join(' ')],
    ['Wires', wiresText(status)],
  ])
  return [facts, '', ...status.conditions.map(conditionText)].join('\n')
}

/** What there are none of is left out, but for those that are up and those that are down. */
function wiresText(status: nodeV1.NodeStatus): string {
  const { wiresUp, wiresConnecting, wiresUnconfirmed, wiresPending, wiresDown } = status
  const rare = { pending: wiresPending, connecting: wiresConnecting, unconfirmed: wiresUnconfirmed }
  const shown = Object.entries(rare).flatMap(([state, count]) => (count === 0 ? [] : [`${count} ${state}`]))
  return [`${wiresUp} up`, ...shown, `${wiresDown} down`].join(', ')
}

function conditionText({ name, problem, next, warningOnly }: nodeV1.Condition): string {
  if (problem === '') return `${MARKS.ok}  ${toPrintable(name)}`
  const mark = warningOnly ? MARKS.warning : MARKS.problem
  const hint = next === '' ? '' : `\n      next: ${toPrintable(next)}`
  return `${mark}  ${toPrintable(`${name}: ${problem}`)}${hint}`
}

const MARKS = { ok: 'ok  ', warning: 'warn', problem: 'bad ' } as const
const COLOURS: Readonly<Record<string, 'green' | 'yellow' | 'red'>> = {
  [MARKS.ok]: 'green',
  [MARKS.warning]: 'yellow',
  [MARKS.problem]: 'red',
}

/** Colours the marks at the beginnings of the conditions. */
export function paintMarks(text: string): string {
  return text.replaceAll(/^(ok {2}|warn|bad )(?= {2})/gm, (mark) =>
    styleText(COLOURS[mark] ?? 'red', mark, { validateStream: false }),
  )
}

export function statusExitCode({ conditions }: nodeV1.NodeStatus): ExitCode {
  const broken = conditions.filter(({ problem }) => problem !== '')
  if (broken.length === 0) return EXIT.fine
  return broken.every(({ warningOnly }) => warningOnly) ? EXIT.warnings : EXIT.failed
}
