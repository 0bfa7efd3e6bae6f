/** What the reconciler of pods needs of others: the daemon passes it in. */
import type { Connection } from '../../api/index.ts'
import { describeError, type ErrorCode, errorCode, nextStep } from '../../base/index.ts'
import type { Serve } from '../annotations/serve.ts'
import type { AskedWire } from '../annotations/wires.ts'
import type { PodAt } from './pod.ts'

/** How a wire or an endpoint of a pod is. A problem is one sentence for people, with what to do next. */
export type KeptState =
  | ({ readonly at: 'pending' } & Missing)
  | { readonly at: 'up' }
  | ({ readonly at: 'down' } & Missing)

interface Missing {
  readonly problem: string | undefined
  /** Somebody said no, and not only nobody yes. */
  readonly isDenied?: true
}

/** A wire or an endpoint that is kept for a pod. */
export interface Kept {
  close(): Promise<void>
  /** Stops keeping it: it stands on until it expires, for the next run of this daemon to take it up. */
  leave(): Promise<void>
}

export type Tell = (state: KeptState) => void

export interface PodKeeper {
  /** Requests the wire as the pod, refreshes and heals it. */
  keepWire(at: PodAt, wire: AskedWire, tell: Tell): Kept
  /** Registers the endpoint as the pod, and answers for it. */
  keepEndpoint(at: PodAt, serve: Serve, tell: Tell): Kept
}

/** The network namespaces of pods, which are kept within reach until they are released. */
export interface PodNamespaces {
  /**
   * That of the pod's processes, `inode://<dev>/<ino>`.
   * @throws {NsmError} `not_found` where no process of it runs, `failed_precondition` where they do not agree on the pod
   */
  find(uid: string, signal: AbortSignal): Promise<string>
  /** Keeps the one of which the gate has told. */
  keep(uid: string, namespace: string, signal: AbortSignal): Promise<void>
  release(uid: string, signal: AbortSignal): Promise<void>
}

/** As `client` says it of a wire. */
export type KeptWireState =
  | { readonly at: 'requesting' | 'closed' }
  | { readonly at: 'connecting' | 'up' | 'refreshing' | 'healing'; readonly connection: Connection }

/** For people who see nothing else of the error: what is wrong, and what to do next. */
export function problemOf(error: unknown): string {
  return `${describeError(error)}; ${nextStep(error) ?? 'see how the nodes are with: nsmctl status'}`
}

const DENIALS: readonly ErrorCode[] = ['permission_denied', 'invalid_argument']

/** What a wire says of itself, as the states that people see. */
export function wireStates(tell: Tell): {
  readonly onState: (state: KeptWireState) => void
  readonly onFailure: (error: unknown) => void
} {
  let last: KeptWireState['at'] = 'requesting'
  return {
    onState({ at }) {
      last = at
      if (at === 'up' || at === 'refreshing') tell({ at: 'up' })
      if (at === 'connecting') tell({ at: 'pending', problem: undefined })
      if (at === 'healing') tell({ at: 'down', problem: undefined })
    },
    onFailure(error) {
      if (last === 'up' || last === 'refreshing') return // it stands, and is asked for again
      const denied = DENIALS.includes(errorCode(error)) ? ({ isDenied: true } as const) : {}
      tell({ at: last === 'healing' ? 'down' : 'pending', problem: problemOf(error), ...denied })
    },
  }
}
