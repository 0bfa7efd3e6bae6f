/** A long-running program under a supervisor, as systemd or a kubelet would run it: when it dies, it is started again. */
import type { ChildProcess } from 'node:child_process'
import { stop } from './shell.ts'

const RESTART_DELAY_MS = 100
/** A program that dies this often soon after its start was never well; its log says why. */
const MOST_EARLY_DEATHS = 20
const EARLY_MS = 5_000

export class Service {
  readonly name: string
  readonly #launch: () => ChildProcess
  #child: ChildProcess
  #restarts = 0
  #earlyDeaths = 0
  #isClosing = false

  constructor(name: string, launch: () => ChildProcess) {
    this.name = name
    this.#launch = launch
    this.#child = this.#run()
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get restarts(): number {
    return this.#restarts
  }

  /** Kills the process itself, not its supervisor. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await stop(this.#child)
  }

  #run(): ChildProcess {
    const child = this.#launch()
    const startMs = performance.now()
    child.once('exit', () => {
      this.#earlyDeaths = performance.now() - startMs < EARLY_MS ? this.#earlyDeaths + 1 : 0
      if (this.#isClosing || this.#earlyDeaths >= MOST_EARLY_DEATHS) return
      this.#restarts += 1
      setTimeout(() => {
        if (!this.#isClosing) this.#child = this.#run()
      }, RESTART_DELAY_MS)
    })
    return child
  }
}
