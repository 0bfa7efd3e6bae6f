/**
 * The wires of the pods of this node, wanted against what stands. What a pod wants is in its annotations and in those of
 * its namespace; what it has belongs to its sandbox and ends with it.
 *
 *     pods, namespaces (API server) --.                     .--> wires: requested, refreshed, healed, closed
 *                                      +--> one pod at a time
 *     sandboxes (gate, holder) --------'                     '--> the endpoint that the pod is, while it is Ready
 */
import {
  Backoff,
  type Clock,
  Deadlines,
  describeError,
  errorCode,
  KeyedQueue,
  Listeners,
  type Logger,
  type NsmError,
} from '../../base/index.ts'
import { type Annotations, type Asked, askedOfPod, isNothing } from '../annotations/asked-of-pod.ts'
import { type KeptState, type PodKeeper, type PodNamespaces, problemOf } from './doors.ts'
import { hasEnded, type Pod, type Sandbox } from './pod.ts'
import { type PodWire, PodWires } from './pod-wires.ts'

export interface NodePodsOptions {
  readonly keeper: PodKeeper
  readonly namespaces: PodNamespaces
  /** The namespace in which nsmesh itself runs. */
  readonly ownNamespace: string
  readonly clock: Clock
  readonly logger: Logger
}

/** How the wires of a pod are. */
export interface PodStatus {
  readonly pod: Pod
  /** As it was seen in the pod's last turn; undefined before its first. */
  readonly asked: Asked | undefined
  /** Undefined while the pod has not started, or its network was not found. */
  readonly sandbox: Sandbox | undefined
  readonly wires: readonly PodWire[]
  readonly endpoint: KeptState | undefined
  /** Why an annotation does not count. */
  readonly refusals: readonly NsmError[]
  /** Why the pod's network was not found. */
  readonly problem: string | undefined
}

const FIND_AGAIN = { firstMs: 500, maxMs: 30_000 }

/** What is known of one pod. */
interface Known {
  pod: Pod
  asked: Asked | undefined
  sandbox: Sandbox | undefined
  wires: PodWires | undefined
  refusals: readonly NsmError[]
  problem: string | undefined
  readonly searches: Backoff
}

export class NodePods {
  readonly #options: NodePodsOptions
  readonly #pods = new Map<string, Known>()
  /** Sandboxes of which the gate told, by the uid of their pod: the gate may know a pod before the API server tells. */
  readonly #gated = new Map<string, Sandbox>()
  readonly #namespaces = new Map<string, Annotations>()
  readonly #queue = new KeyedQueue()
  /** Pods whose turn has yet to begin: what changes meanwhile is seen in that turn. */
  readonly #waiting = new Set<string>()
  readonly #searches: Deadlines
  readonly #listeners = new Listeners<[uid: string]>()
  readonly #abort = new AbortController()
  readonly #sinceMs: number

  constructor(options: NodePodsOptions) {
    this.#options = options
    this.#sinceMs = options.clock.nowMs()
    this.#searches = new Deadlines(options.clock, (uid) => this.#wake(uid))
  }

  /** As the API server has it now. */
  setPod(pod: Pod): void {
    const known = this.#pods.get(pod.uid) ?? newlyKnown(pod)
    // A pod without the gate has a new network when it has a new address; of one with the gate, the gate tells.
    if (known.pod.podIp !== pod.podIp && known.sandbox?.id === '') known.sandbox = undefined
    known.pod = pod
    this.#pods.set(pod.uid, known)
    this.#wake(pod.uid)
  }

  /** Its object is gone. */
  removePod(uid: string): void {
    this.#gated.delete(uid)
    this.#wake(uid, async () => {
      const known = this.#pods.get(uid)
      this.#pods.delete(uid)
      this.#searches.clear(uid)
      if (known?.wires === undefined) return
      await known.wires.close()
      await this.#options.namespaces.release(uid, this.#abort.signal)
    })
  }

  /** @param annotations undefined: it is gone */
  setNamespace(name: string, annotations: Annotations | undefined): void {
    if (annotations === undefined) this.#namespaces.delete(name)
    else this.#namespaces.set(name, annotations)
    for (const { pod } of this.#pods.values()) if (pod.namespace === name) this.#wake(pod.uid)
  }

  /** A sandbox of the pod starts: what an earlier one had moves to it. */
  enter(uid: string, sandbox: Sandbox): void {
    this.#gated.set(uid, sandbox)
    this.#wake(uid)
  }

  /** A sandbox has ended. Another one of the pod, which may have begun before, is not touched. */
  leave(uid: string, sandboxId: string): void {
    if (this.#gated.get(uid)?.id === sandboxId) this.#gated.delete(uid)
    this.#wake(uid)
  }

  /** Whether a pod has passed the gate into this network namespace, and does not run yet. */
  isStarting(network: string): boolean {
    return [...this.#gated].some(([uid, { namespace }]) => {
      return namespace === network && (this.#pods.get(uid)?.pod.phase ?? 'Pending') === 'Pending'
    })
  }

  /** Undefined for a pod of which the API server has not told. */
  status(uid: string): PodStatus | undefined {
    const known = this.#pods.get(uid)
    if (known === undefined) return undefined
    const { pod, asked, sandbox, wires, refusals, problem } = known
    return { pod, asked, sandbox, wires: wires?.wires ?? [], endpoint: wires?.endpoint, refusals, problem }
  }

  uids(): Iterable<string> {
    return this.#pods.keys()
  }

  /** Calls back when something about a pod has changed. */
  subscribe(listener: (uid: string) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Resolves when everything that is known has had its turn. */
  async idle(): Promise<void> {
    await this.#queue.idle()
  }

  /** The wires stand on, for the next run of this daemon. */
  async close(): Promise<void> {
    this.#abort.abort()
    this.#searches.close()
    await this.#queue.idle()
    await Promise.all([...this.#pods.values()].map(({ wires }) => wires?.leave()))
    this.#listeners.clear()
  }

  #wake(uid: string, task?: () => Promise<void>): void {
    if (task === undefined && this.#waiting.has(uid)) return
    this.#waiting.add(uid)
    const turn = async () => {
      this.#waiting.delete(uid)
      if (this.#abort.signal.aborted) return
      await (task?.() ?? this.#reconcile(uid))
      this.#listeners.tell(uid)
    }
    this.#queue.run(uid, turn).catch((error: unknown) => {
      if (this.#abort.signal.aborted) return
      this.#options.logger.error('Cannot set the wires of a pod', { pod: uid, error: describeError(error) })
    })
  }

  async #reconcile(uid: string): Promise<void> {
    const known = this.#pods.get(uid)
    if (known === undefined) return
    const asked = this.#askedOf(known.pod)
    known.asked = asked
    known.refusals = [asked.wires, asked.serve].flatMap((each) => (each.at === 'refused' ? [each.error] : []))
    const isIdle = isNothing(asked) && known.wires === undefined
    if (isIdle) return
    await this.#move(uid, known)
    if (known.wires === undefined) return
    if (asked.wires.at === 'asked') await known.wires.setWires(asked.wires.value)
    const { serve } = asked
    if (serve.at === 'asked') await known.wires.setServe(known.pod.isReady ? serve.value : undefined)
    else if (!known.pod.isReady) await known.wires.setServe(undefined)
    if (!known.wires.isEmpty || !isNothing(asked)) return
    known.wires = undefined
    this.#gated.delete(uid) // what nobody keeps may be gone, and its number that of another pod's network
    await this.#options.namespaces.release(uid, this.#abort.signal)
  }

  /** Makes `known.wires` those of the sandbox that the pod has now; undefined where it has none. */
  async #move(uid: string, known: Known): Promise<void> {
    const { namespaces, keeper } = this.#options
    const sandbox = hasEnded(known.pod) ? undefined : (this.#gated.get(uid) ?? (await this.#find(uid, known)))
    known.sandbox = sandbox
    const before = known.wires
    if (before?.at.sandbox.namespace === sandbox?.namespace) return
    known.wires = undefined
    await before?.close() // before the new ones ask, so that these get the addresses that it had
    if (sandbox === undefined) return await namespaces.release(uid, this.#abort.signal)
    if (sandbox.id !== '' && !(await this.#keep(uid, sandbox))) return
    known.wires = new PodWires({ pod: known.pod, sandbox }, keeper, () => this.#onChange(uid))
  }

  /** Returns false where the holder does not have the namespace any more: the sandbox ended and nobody told. */
  async #keep(uid: string, { namespace }: Sandbox): Promise<boolean> {
    try {
      await this.#options.namespaces.keep(uid, namespace, this.#abort.signal)
      return true
    } catch (error) {
      if (errorCode(error) !== 'not_found') throw error
      if (this.#gated.get(uid)?.namespace === namespace) this.#gated.delete(uid)
      this.#wake(uid) // where another one runs, its processes are found
      return false
    }
  }

  async #find(uid: string, known: Known): Promise<Sandbox | undefined> {
    const { namespaces, clock } = this.#options
    known.problem = undefined
    if (known.sandbox?.id === '') return known.sandbox
    if (!this.#mayRun(known.pod)) return undefined
    try {
      const namespace = await namespaces.find(uid, this.#abort.signal)
      known.searches.reset()
      return { id: '', namespace }
    } catch (error) {
      if (errorCode(error) === 'cancelled') throw error
      if (known.pod.phase !== 'Running' && errorCode(error) === 'not_found') return undefined
      known.problem = problemOf(error)
      this.#searches.set(uid, clock.nowMs() + known.searches.next())
      return undefined
    }
  }

  /** Whether it may have a sandbox of which nobody tells: without the gate, or let in by an earlier run of this daemon. */
  #mayRun({ phase, startedMs }: Pod): boolean {
    return phase === 'Running' || (phase === 'Pending' && startedMs > 0 && startedMs <= this.#sinceMs)
  }

  /** A wire that fails may do so because its sandbox is gone, of which nobody tells where there is no gate. */
  #onChange(uid: string): void {
    const known = this.#pods.get(uid)
    const isDown = known?.wires?.wires.some(({ state }) => state.at !== 'up') === true
    if (known !== undefined && isDown && known.sandbox?.id === '') {
      known.sandbox = undefined
      this.#wake(uid)
    }
    this.#listeners.tell(uid)
  }

  #askedOf(pod: Pod): Asked {
    if (hasEnded(pod)) return NOTHING
    const namespaceAnnotations = this.#namespaces.get(pod.namespace) ?? {}
    return askedOfPod(pod, { namespaceAnnotations, ownNamespace: this.#options.ownNamespace })
  }
}

function newlyKnown(pod: Pod): Known {
  const searches = new Backoff(FIND_AGAIN)
  return { pod, asked: undefined, sandbox: undefined, wires: undefined, refusals: [], problem: undefined, searches }
}

const NOTHING: Asked = { wires: { at: 'asked', value: [] }, serve: { at: 'asked', value: undefined } }
