/**
 * The wires that clients of this node ask for and do not get: for people to see, until they are there or nobody asks any
 * more. A client costs its own share of this memory: the oldest of its own make room for the next.
 */
import type { Call, Connection } from '../api/index.ts'
import { type Clock, describeError, errorCode } from '../base/index.ts'
import { callerKey } from './caller-ids.ts'

export interface WantedWire {
  /** As the client calls it. */
  readonly id: string
  readonly client: string
  readonly clientIdentity: string
  readonly namespace: string
  readonly networkService: string
  /** Why it is not there. */
  readonly problem: string
  readonly sinceMs: number
  readonly tries: number
  readonly triedMs: number
  /** When the client will ask again, if it keeps its pace; undefined after its first try. */
  readonly nextMs: number | undefined
}

interface Wanted extends WantedWire {
  readonly isConnected: () => boolean
}

const MOST_PER_ACCOUNT = 16
const MOST = 1_024
/** A client that has not asked for so long has given up. */
const GIVEN_UP_MS = 60_000
const MAX_NAME_CHARS = 128
const MAX_PROBLEM_CHARS = 512

export class WantedWires {
  readonly #clock: Clock
  /** By key of the caller, the one that was tried last at the end. */
  readonly #wanted = new Map<string, Wanted & { readonly account: string }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A request has failed. What another node asks for, that node shows. */
  note(connection: Connection, call: Call, error: unknown): void {
    const { attestation, spiffeId, isConnected = () => true } = call.peer
    if (attestation === undefined) return
    const key = callerKey(connection, call)
    const before = this.#wanted.get(key)
    const nowMs = this.#clock.nowMs()
    const { id, networkService, path } = connection
    this.#wanted.delete(key)
    this.#makeRoom(attestation.account)
    this.#wanted.set(key, {
      id: id.slice(0, MAX_NAME_CHARS),
      client: (path.segments[0]?.name ?? '').slice(0, MAX_NAME_CHARS),
      clientIdentity: spiffeId,
      namespace: attestation.namespace,
      networkService: networkService.slice(0, MAX_NAME_CHARS),
      problem: problemOf(error, before).slice(0, MAX_PROBLEM_CHARS),
      sinceMs: before?.sinceMs ?? nowMs,
      tries: (before?.tries ?? 0) + 1,
      triedMs: nowMs,
      nextMs: before && nowMs + (nowMs - before.triedMs),
      account: attestation.account,
      isConnected,
    })
  }

  /** The wire is there, or the client does not want it any more. */
  forget(connection: Connection, call: Call): void {
    if (this.#wanted.size > 0) this.#wanted.delete(callerKey(connection, call))
  }

  all(): readonly WantedWire[] {
    const nowMs = this.#clock.nowMs()
    for (const [key, { triedMs, isConnected }] of this.#wanted) {
      if (nowMs - triedMs > GIVEN_UP_MS || !isConnected()) this.#wanted.delete(key)
    }
    return [...this.#wanted.values()]
  }

  #makeRoom(account: string): void {
    const own = [...this.#wanted].filter(([, wanted]) => wanted.account === account).map(([key]) => key)
    const [oldest] = own.length >= MOST_PER_ACCOUNT ? own : this.#wanted.size >= MOST ? this.#wanted.keys() : []
    if (oldest !== undefined) this.#wanted.delete(oldest)
  }
}

/** A client that ran out of patience does not say why; what was said before does. */
function problemOf(error: unknown, before: Wanted | undefined): string {
  if (errorCode(error) !== 'cancelled') return describeError(error)
  return before?.problem ?? 'the client did not wait for the answer'
}
