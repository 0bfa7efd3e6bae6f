/** A workload that opens wires as the bench tells it: load.ts, in a process of its own. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Node, workloadEnvironment } from '../../lab/cluster.ts'
import type { Lab } from '../../lab/lab.ts'
import { ROOT } from '../../lab/programs.ts'
import type { Piped } from '../../lab/shell.ts'
import { startWorkload, type Workload } from '../../lab/workload.ts'
import type { LoadOrder, LoadReport } from './load-order.ts'

export class LoadClient {
  readonly workload: Workload
  readonly #child: Piped
  readonly #answers: AsyncIterator<string>
  /** Wires that stand. */
  #standing = 0

  private constructor(workload: Workload, child: Piped) {
    this.workload = workload
    this.#child = child
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  static async start(lab: Lab, node: Node, name: string): Promise<LoadClient> {
    const workload = await startWorkload(lab, node, name)
    const script = [process.execPath, `${ROOT}/test/bench/control/load.ts`]
    return new LoadClient(workload, workload.host.pipe(script, { env: workloadEnvironment(node) }))
  }

  get standing(): number {
    return this.#standing
  }

  /** Opens wires and leaves them open. */
  async open(service: string, count: number, atATime = 32): Promise<LoadReport> {
    const report = await this.#obey({ service, first: this.#standing, count, atATime, closed: 'none' })
    this.#standing += count
    return report
  }

  /** Opens wires one after the other, and closes each as soon as it stands. */
  openAndClose(service: string, count: number): Promise<LoadReport> {
    return this.#obey({ service, first: this.#standing, count, atATime: 1, closed: 'each' })
  }

  /** Opens many wires at once, and closes them when all stand. */
  burst(service: string, count: number, atATime: number): Promise<LoadReport> {
    return this.#obey({ service, first: this.#standing, count, atATime, closed: 'all' })
  }

  /** Its wires stay: they end as their tokens do. */
  async end(): Promise<void> {
    this.#child.stdin.end()
    await once(this.#child, 'exit')
  }

  async #obey(order: LoadOrder): Promise<LoadReport> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`)
    const { value = '', done } = await this.#answers.next()
    if (done === true) throw new Error(`the load of ${this.workload.name} ended`)
    const report: LoadReport | { readonly error: string } = JSON.parse(value)
    if ('error' in report) throw new Error(`the load of ${this.workload.name}: ${report.error}`)
    return report
  }
}
