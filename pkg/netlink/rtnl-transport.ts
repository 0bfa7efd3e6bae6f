/**
 * Carries rtnetlink messages into network namespaces. The holder implements it, because it has the privileges and the
 * file descriptors. A namespace is `inode://<dev>/<ino>`, or undefined for that of the holder.
 */
import type { Encoded } from './attribute.ts'
import type { Message } from './message.ts'

export interface RtnlPayload extends Encoded {
  readonly namespace: string | undefined
}

export interface NamespaceWatch {
  readonly namespace: string | undefined
  /** A bit mask, in which bit n - 1 stands for rtnetlink group n. */
  readonly groups: number
}

export type RtnlListener = (namespace: string | undefined, message: Message | undefined) => void

export interface RtnlTransport {
  /**
   * Sends each message of the payload to the kernel in turn, even after one was refused. Resolves with all messages of
   * the answers; each carries the sequence number of its request.
   * @throws {NsmError} `not_found` for a namespace unknown to the holder, `unavailable` while the holder is not running
   */
  exchange(payload: RtnlPayload, signal: AbortSignal): Promise<readonly Message[]>

  /**
   * Has the namespace drop IPv6 packets that come by a link of {@link CHECKED_GROUP} from a source to which no route
   * leads by that link.
   * @throws {NsmError} `unimplemented` when the kernel cannot
   */
  checkSources(namespace: string | undefined, signal: AbortSignal): Promise<void>

  /** Subscribes to groups, or changes the subscription; 0 ends it. Subscriptions are renewed after a reconnect. */
  watch(watch: NamespaceWatch, signal: AbortSignal): Promise<void>

  /**
   * Calls `listener` with each message of the watched groups, and the namespace that it is about; without a message
   * where some may have been missed.
   */
  onChange(listener: RtnlListener): () => void

  /** The pinned namespaces, by the id of their pin. */
  pins(signal: AbortSignal): Promise<ReadonlyMap<string, string>>
  /** Keeps a namespace alive. @throws {NsmError} `not_found` for a namespace unknown to the holder */
  pin(id: string, namespace: string, signal: AbortSignal): Promise<void>
  /** Succeeds for an unknown pin. */
  unpin(id: string, signal: AbortSignal): Promise<void>
}
