import { styleText } from 'node:util'
import type { nodeV1 } from '../../api/index.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { table } from '../output.ts'
import { durationText, timestampMs } from './times.ts'

/** Facts about node, dataplane and wires, then all conditions; those with a problem come with a hint on what to do. */
export function statusText(
  status: nodeV1.NodeStatus,
  { nowMs, isColoured }: { nowMs: number; isColoured: boolean },
): string {
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
    ['Wires', `${status.wiresUp} up, ${status.wiresDown} down`],
  ])
  return [facts, '', ...status.conditions.map((condition) => conditionText(condition, isColoured))].join('\n')
}

function conditionText({ name, problem, next, warningOnly }: nodeV1.Condition, isColoured: boolean): string {
  const paint = (colour: 'green' | 'yellow' | 'red', text: string) =>
    isColoured ? styleText(colour, text, { validateStream: false }) : text
  if (problem === '') return `${paint('green', 'ok  ')}  ${name}`
  const mark = warningOnly ? paint('yellow', 'warn') : paint('red', 'bad ')
  return `${mark}  ${name}: ${problem}${next === '' ? '' : `\n      next: ${next}`}`
}

export function statusExitCode({ conditions }: nodeV1.NodeStatus): ExitCode {
  const broken = conditions.filter(({ problem }) => problem !== '')
  if (broken.length === 0) return EXIT.fine
  return broken.every(({ warningOnly }) => warningOnly) ? EXIT.warnings : EXIT.failed
}
