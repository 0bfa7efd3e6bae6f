/**
 * What carries rtnetlink messages into network namespaces: the holder, which has the privilege and the descriptors.
 * A namespace is `inode://<dev>/<ino>`; undefined is the holder's own.
 */
import type { Encoded } from './attribute.ts'
import type { Message } from './message.ts'

export interface RtnlPayload extends Encoded {
  readonly namespace: string | undefined
}

export interface NamespaceWatch {
  readonly namespace: string | undefined
  /** Bit n - 1 stands for rtnetlink group n. */
  readonly groups: number
}

export interface RtnlTransport {
  /**
   * Puts each message of the payload to the kernel in turn, also after one was refused, and resolves with all
   * messages that it answered with, each with the sequence number of its request.
   * @throws {NsmError} `not_found` for a namespace that the holder does not know, `unavailable` while it is away
   */
  exchange(payload: RtnlPayload, signal: AbortSignal): Promise<readonly Message[]>

  /** Subscribes, or changes the groups; 0 ends it. Subscriptions are renewed after a reconnect. */
  watch(watch: NamespaceWatch, signal: AbortSignal): Promise<void>

  /** Calls back with each namespace in which something of the watched groups changed, or may have. */
  onChange(listener: (namespace: string | undefined) => void): () => void

  /** Namespaces by pin. */
  pins(signal: AbortSignal): Promise<ReadonlyMap<string, string>>
  /** @throws {NsmError} `not_found` for a namespace that the holder does not know */
  pin(id: string, namespace: string, signal: AbortSignal): Promise<void>
  /** An unknown pin is gone already. */
  unpin(id: string, signal: AbortSignal): Promise<void>
}
