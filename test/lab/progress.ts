/** What the demo says while it works; on standard error, so that standard output stays for results. */
import { styleText } from 'node:util'

export function step(text: string): void {
  process.stderr.write(`${styleText('cyan', '==>')} ${text}\n`)
}

export function detail(text: string): void {
  for (const line of text.trimEnd().split('\n')) process.stderr.write(`    ${line}\n`)
}
