/** A program of a cluster: stopped and started by the test, never by itself. */
import type { ChildProcess } from 'node:child_process'

const PATIENCE_MS = 5_000

export interface Launched {
  /** Ends when the program does. */
  readonly child: ChildProcess
  /** Of the program itself, which may be a child of `child`. */
  pid(): number
}

export class Component {
  readonly name: string
  readonly #launch: () => Launched
  #launched: Launched | undefined

  constructor(name: string, launch: () => Launched) {
    this.name = name
    this.#launch = launch
  }

  get isRunning(): boolean {
    return this.#launched !== undefined && isAlive(this.#launched.child)
  }

  get pid(): number {
    if (this.#launched === undefined || !isAlive(this.#launched.child)) throw new Error(`${this.name} does not run`)
    return this.#launched.pid()
  }

  start(): void {
    if (!this.isRunning) this.#launched = this.#launch()
  }

  /** Resolves when it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#launched?.child
    if (child === undefined || !isAlive(child)) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    this.#signal(signal)
    const timer = setTimeout(() => this.#signal('SIGKILL'), PATIENCE_MS)
    await gone
    clearTimeout(timer)
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(this.pid, signal)
    } catch {
      // it has just ended by itself
    }
  }
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}
