/** Running other programs: to their end, with an error that shows what they said, or in the background. */
import { type ChildProcess, type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Besides a path and a locale, all that it gets. */
  readonly env?: Readonly<NodeJS.ProcessEnv>
  /** A minute unless told. */
  readonly timeoutMs?: number
  readonly input?: string
}

const MOST_OUTPUT_BYTES = 64 * 1024 * 1024
/** The exit code of a program that was ended because it took too long, as timeout(1) has it. */
const TOO_LONG = 124
/** Between SIGTERM and SIGKILL to a program that took too long. */
const LAST_WORDS_MS = 1_000

/** Runs to the end, whatever the exit code; ends the program when it takes longer than it may. */
export function tryRun(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [program = '', ...args] = command
  const { timeoutMs = 60_000, input = '' } = options
  return new Promise((resolve) => {
    let isLate = false
    const settings = { env: environment(options), maxBuffer: MOST_OUTPUT_BYTES }
    const child = execFile(program, args, settings, (error, stdout, stderr) => {
      clearTimeout(timer)
      if (isLate) return resolve({ code: TOO_LONG, stdout, stderr: `it took longer than ${timeoutMs / 1_000} s` })
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 255
      resolve({ code, stdout, stderr: error !== null && stderr === '' ? error.message : stderr })
    })
    const timer = setTimeout(async () => {
      isLate = true
      await stop(child, 'SIGTERM', LAST_WORDS_MS)
      // What it has started may hold these open.
      child.stdout?.destroy()
      child.stderr?.destroy()
    }, timeoutMs)
    // A program that ends without reading is judged by its exit code, not by the pipe.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** Runs to the end and gives what it printed. @throws {Error} with command and output when it fails */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await tryRun(command, options)
  if (code !== 0) throw new Error(`${command.join(' ')}: exit status ${code}\n${stderr}${stdout}`.trimEnd())
  return stdout
}

/** Starts in the background; what it prints is appended to `log`. */
export function start(command: readonly string[], log: string, options: RunOptions = {}): ChildProcess {
  const [program = '', ...args] = command
  const output = openSync(log, 'a')
  const child = spawn(program, args, { env: environment(options), stdio: ['ignore', output, output] })
  closeSync(output)
  return child
}

export type Piped = ChildProcessByStdio<Writable, Readable, null>

/** Starts in the background, to talk with over its standard input and output. */
export function pipe(command: readonly string[], options: RunOptions = {}): Piped {
  const [program = '', ...args] = command
  return spawn(program, args, { env: environment(options), stdio: ['pipe', 'pipe', 'inherit'] })
}

/** Ends a process by its id and resolves when it is gone; SIGKILL follows when it does not listen. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM', patienceMs = 3_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await gone
  clearTimeout(timer)
}

function environment(options: RunOptions): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...options.env }
}
