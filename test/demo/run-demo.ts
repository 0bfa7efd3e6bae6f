/** What every demo has around its story: a lab, Ctrl-C, and with `--check` one line of JSON at the end. */
import { Lab } from '../lab/lab.ts'
import { detail, step } from '../lab/progress.ts'

export interface Summary {
  readonly ok: boolean
  readonly [fact: string]: unknown
}

export type Story = (lab: Lab, isCheck: boolean) => Promise<Summary>

/** Ends the process, with 0 when the story went as it should. Without `--check`, what it has made stays until Ctrl-C. */
export async function runDemo(story: Story): Promise<never> {
  const isCheck = process.argv.includes('--check')
  const startMs = Date.now()
  const lab = await Lab.create()
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
  const interrupted = stopped.then((): Summary => ({ ok: false, error: 'interrupted' }))
  const told = story(lab, isCheck).catch((error: unknown): Summary => {
    const message = error instanceof Error ? error.message : String(error)
    step(`failed: ${message}`)
    if (!isCheck) detail(`the logs are in ${lab.directory} until Ctrl-C`)
    return { ok: false, error: message }
  })
  const summary = {
    ...(await Promise.race([told, interrupted])),
    seconds: Math.round((Date.now() - startMs) / 100) / 10,
  }
  if (!isCheck) await stopped
  step('removing everything')
  await lab.close()
  if (isCheck) console.log(JSON.stringify(summary))
  process.exit(summary.ok ? 0 : 1)
}
