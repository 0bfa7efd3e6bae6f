/**
 * Notices pods that started without passing the gate, though nsm-cni was in the chain: the runtime does not look beside the
 * list of CNI plugins, or somebody else decides what it looks at. nsm-gate then puts its entry into the list itself.
 */
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeError, type Logger } from '../../base/index.ts'
import type { NodePods, PodStatus } from '../pods/node-pods.ts'

export interface SlippedPodsOptions {
  readonly pods: Pick<NodePods, 'status' | 'subscribe'>
  /** That of the gate, which nsm-gate has on this node, too. */
  readonly folder: string
  /** When this daemon started: what it let in before is not known any more. */
  readonly sinceMs: number
  readonly logger: Logger
}

/** The runtime reads its configuration a moment after that has changed. */
const RELOAD_MS = 1_000

export class SlippedPods {
  readonly #options: SlippedPodsOptions
  /**
   * Of each pod, whether it asked for wires when it was first seen, before it had a network: one that asks later may have
   * passed nsm-cni by then, which asks for no more.
   */
  readonly #waits = new Map<string, boolean>()
  readonly #stop: () => void

  constructor(options: SlippedPodsOptions) {
    this.#options = options
    this.#stop = options.pods.subscribe((uid) => this.#look(uid))
  }

  close(): void {
    this.#stop()
  }

  #look(uid: string): void {
    const status = this.#options.pods.status(uid)
    if (status === undefined) return void this.#waits.delete(uid)
    const hasWaited = this.#waits.get(uid) ?? (isBeforeStart(status) && waits(status))
    this.#waits.set(uid, hasWaited && status.sandbox === undefined)
    if (!hasWaited || status.sandbox?.id !== '') return
    const { pod } = status
    if (pod.startedMs <= this.#standsMs()) return
    this.#options.logger.warn('A pod started without passing the gate', { pod: pod.name, namespace: pod.namespace })
    this.#tell(uid)
  }

  /** Since when every pod should pass the gate. */
  #standsMs(): number {
    const { folder, sinceMs } = this.#options
    const stands = statSync(join(folder, 'stands'), { throwIfNoEntry: false })
    return stands === undefined ? Number.POSITIVE_INFINITY : Math.max(sinceMs, stands.mtimeMs + RELOAD_MS)
  }

  #tell(uid: string): void {
    try {
      writeFileSync(join(this.#options.folder, 'slipped', uid), '')
    } catch (error) {
      this.#options.logger.error('Cannot tell nsm-gate of the pod', { error: describeError(error) })
    }
  }
}

function isBeforeStart({ pod }: PodStatus): boolean {
  return pod.phase === 'Pending' && pod.podIp === ''
}

function waits({ asked }: PodStatus): boolean {
  return asked?.wires.at === 'asked' && asked.wires.value.some(({ isAwaited }) => isAwaited)
}
