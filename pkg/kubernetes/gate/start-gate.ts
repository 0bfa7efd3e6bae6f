/**
 * The gate through which a pod starts: nsm-cni asks, and is answered when the wires of the pod's sandbox are up, or with the
 * reason why they are not. Nobody waits longer than nsm-cni does, since a start that waits keeps the node's runtime from
 * reading its configuration.
 *
 *     nsm-cni --holder--> add --> NodePods.enter --> each change: may it start? --> answer
 *                         del --> NodePods.leave --> answered at once
 */
import { type Clock, errorCode, NsmError, within } from '../../base/index.ts'
import type { GateCall } from '../../netlink/index.ts'
import type { NodePods } from '../pods/node-pods.ts'
import { podStart } from './pod-start.ts'

/** nsm-cni gives up after 8 s, and would not say why. */
const WAIT_MS = 7_000

type Pods = Pick<NodePods, 'enter' | 'isStarting' | 'leave' | 'status' | 'subscribe'>

export class StartGate {
  readonly #clock: Clock
  readonly #opening = Promise.withResolvers<Pods>()
  #opened: Pods | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** These are the pods of this node, from now on. Who came before has waited. */
  open(pods: Pods): void {
    this.#opened = pods
    this.#opening.resolve(pods)
  }

  /** Whether the first process of a pod is still to come in this network namespace. */
  readonly isStarting = (network: string): boolean => this.#opened?.isStarting(network) ?? false

  /** Resolves when the pod may start. @throws {NsmError} why it may not, as a sentence for its events */
  readonly answer = async (call: GateCall, signal: AbortSignal): Promise<void> => {
    if (call.at === 'del') return this.#opened?.leave(call.uid, call.sandbox)
    let why = new NsmError('unavailable', 'Cannot start the pod: its node does not follow the API server yet')
    const onWait = (reason: NsmError) => {
      why = reason
    }
    try {
      await within({ clock: this.#clock, ms: WAIT_MS, signal }, async (until) => {
        const pods = this.#opened ?? (await this.#opens(until))
        await start(pods, call, { onWait, signal: until })
      })
    } catch (error) {
      throw errorCode(error) === 'deadline_exceeded' ? why : error
    }
  }

  #opens(signal: AbortSignal): Promise<Pods> {
    return new Promise((resolve, reject) => {
      this.#opening.promise.then(resolve, reject)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }
}

interface Waiting {
  readonly onWait: (why: NsmError) => void
  readonly signal: AbortSignal
}

function start(pods: Pods, call: GateCall & { readonly at: 'add' }, { onWait, signal }: Waiting): Promise<void> {
  const { uid, sandbox, network } = call
  pods.enter(uid, { id: sandbox, namespace: network })
  return new Promise((resolve, reject) => {
    const stop = pods.subscribe((changed) => {
      if (changed === uid) look()
    })
    const settle = (then: () => void) => {
      stop()
      signal.removeEventListener('abort', onAbort)
      then()
    }
    const onAbort = () => settle(() => reject(signal.reason))
    const look = () => {
      const state = podStart(pods.status(uid), sandbox)
      if (state.at === 'waits') onWait(state.why)
      else if (state.at === 'refused') settle(() => reject(state.why))
      else settle(resolve)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const now = podStart(pods.status(uid), sandbox)
    if (now.at === 'waits') onWait(now.why) // what else it is may be as before the turn that comes now
  })
}
