/** Commands of the suites: each within its time, with what they print where it can be seen. */
import { type ChildProcess, spawn } from 'node:child_process'
import { ROOT } from '../../test/lab/programs.ts'
import { stop } from '../../test/lab/shell.ts'

export interface Count {
  readonly passed: number
  readonly failed: number
}

export const MINUTE_MS = 60_000
export const NONE: Count = { passed: 0, failed: 0 }

export function add(a: Count, b: Count): Count {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed }
}

/** Each command is one test: that it ends well. */
export async function succeed(...commands: readonly (readonly string[])[]): Promise<Count> {
  let count = NONE
  for (const command of commands) {
    const isGood = await run(command, 10 * MINUTE_MS)
    count = add(count, isGood ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })
  }
  return count
}

/** Ends the command, and says so, when it takes longer than `limitMs`. */
export async function run([program = '', ...args]: readonly string[], limitMs: number): Promise<boolean> {
  const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] })
  const timer = setTimeout(() => {
    console.log(`hack/test: ${program} took longer than ${limitMs / MINUTE_MS} minutes and was ended`)
    void stop(child)
  }, limitMs)
  const isGood = await endsWell(child)
  clearTimeout(timer)
  return isGood
}

export function endsWell(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}
