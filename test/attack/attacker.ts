/**
 * Attackers in processes of their own, so that what they compute is not in the way of those who measure. The program says
 * so when it is ready, and is then told again and again for how long to attack (serve-attacks.ts).
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'

/** How its calls, or whatever it counts, ended. */
export type Outcomes = Readonly<Record<string, number>>

/** On another machine it would not take the processor from those it attacks. */
const NICE = 5

export class Attacker {
  readonly #process: ChildProcess

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  /** @param program beside this file */
  static async start(program: string, args: readonly (string | number)[]): Promise<Attacker> {
    const child = fork(fileURLToPath(new URL(program, import.meta.url)), args.map(String))
    await once(child, 'message')
    if (child.pid !== undefined) setPriority(child.pid, NICE)
    return new Attacker(child)
  }

  async attack(ms: number): Promise<Outcomes> {
    this.#process.send(ms)
    const [outcomes] = await once(this.#process, 'message')
    return outcomes
  }

  close(): void {
    this.#process.disconnect()
  }
}
