/** rtnetlink and pins through the holder. */
import { describeError, errorCode, Listeners, type Logger } from '../base/index.ts'
import {
  Attributes,
  attribute,
  attributeType,
  controlType,
  decodeMessages,
  type FdPatch,
  type Message,
  messageType,
  type NamespaceWatch,
  namespaceAttributes,
  type RtnlListener,
  type RtnlPayload,
  type RtnlTransport,
  readNamespace,
  required,
} from '../netlink/index.ts'
import type { ControlClient } from './control-client.ts'

const never = new AbortController().signal

export class HolderRtnl implements RtnlTransport {
  readonly #client: ControlClient
  readonly #logger: Logger
  readonly #watches = new Map<string | undefined, NamespaceWatch>()
  readonly #listeners = new Listeners<Parameters<RtnlListener>>()

  constructor(client: ControlClient, logger: Logger) {
    this.#client = client
    this.#logger = logger
    client.onMessage((message) => {
      if (message.type === messageType.rtnlEvent) this.#heard(new Attributes(message.body))
    })
    client.onState(({ at }) => {
      if (at === 'connected') for (const watch of this.#watches.values()) void this.#renew(watch)
    })
  }

  async exchange({ namespace, bytes, fdPatches }: RtnlPayload, signal: AbortSignal): Promise<readonly Message[]> {
    const replies = await this.#client.request(
      {
        type: messageType.rtnl,
        what: 'Cannot carry rtnetlink into the network namespace',
        fields: { namespace },
        attributes: [
          ...namespaceAttributes(namespace),
          attribute.bytes(attributeType.payload, bytes),
          ...fdPatches.map(patchAttribute),
        ],
      },
      signal,
    )
    return replies.flatMap(({ body }) => {
      const payload = new Attributes(body).bytes(attributeType.payload)
      return decodeMessages(required('rtnl', attributeType.payload, payload))
    })
  }

  async checkSources(namespace: string | undefined, signal: AbortSignal): Promise<void> {
    const attributes = namespaceAttributes(namespace)
    const what = 'Cannot have the network namespace check the sources of IPv6 packets'
    await this.#client.request({ type: messageType.sourcesCheck, what, fields: { namespace }, attributes }, signal)
  }

  async watch(watch: NamespaceWatch, signal: AbortSignal): Promise<void> {
    const { namespace, groups } = watch
    if ((this.#watches.get(namespace)?.groups ?? 0) === groups) return
    await this.#send(watch, signal)
    if (groups === 0) this.#watches.delete(namespace)
    else this.#watches.set(namespace, watch)
  }

  onChange(listener: RtnlListener): () => void {
    return this.#listeners.add(listener)
  }

  async pins(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const request = { type: messageType.nsGet, what: 'Cannot list pinned network namespaces', attributes: [] }
    const replies = await this.#client.request(request, signal)
    return new Map(
      replies.map(({ body }) => {
        const attributes = new Attributes(body)
        const id = required('pin', attributeType.id, attributes.text(attributeType.id))
        return [id, required('pin', attributeType.nsIno, readNamespace(attributes))]
      }),
    )
  }

  async pin(id: string, namespace: string, signal: AbortSignal): Promise<void> {
    const attributes = [attribute.text(attributeType.id, id), ...namespaceAttributes(namespace)]
    const what = 'Cannot pin the network namespace'
    await this.#client.request({ type: messageType.nsPin, what, fields: { pin: id, namespace }, attributes }, signal)
  }

  async unpin(id: string, signal: AbortSignal): Promise<void> {
    const attributes = [attribute.text(attributeType.id, id)]
    const what = 'Cannot unpin the network namespace'
    await this.#client.request({ type: messageType.nsUnpin, what, fields: { pin: id }, attributes }, signal)
  }

  async #send({ namespace, groups }: NamespaceWatch, signal: AbortSignal): Promise<void> {
    const attributes = [...namespaceAttributes(namespace), attribute.u32(attributeType.groups, groups)]
    const what = 'Cannot watch the network namespace'
    await this.#client.request({ type: messageType.rtnlWatch, what, fields: { namespace }, attributes }, signal)
  }

  /** After a reconnect; what happened meanwhile was not heard. */
  async #renew(watch: NamespaceWatch): Promise<void> {
    try {
      await this.#send(watch, never)
    } catch (error) {
      if (errorCode(error) !== 'not_found')
        this.#logger.warn('Cannot watch a network namespace again', { error: describeError(error) })
      else this.#watches.delete(watch.namespace) // it is gone, and all in it
    }
    this.#tell(watch.namespace, undefined)
  }

  #heard(attributes: Attributes): void {
    const namespace = readNamespace(attributes)
    const payload = required('rtnl', attributeType.payload, attributes.bytes(attributeType.payload))
    for (const message of decodeMessages(payload)) {
      this.#tell(namespace, message.type === controlType.overrun ? undefined : message)
    }
  }

  #tell(...heard: Parameters<RtnlListener>): void {
    this.#listeners.tell(...heard)
  }
}

function patchAttribute({ offset, namespace }: FdPatch) {
  return attribute.nested(attributeType.fdPatch, [
    attribute.u32(attributeType.patchOffset, offset),
    ...namespaceAttributes(namespace),
  ])
}
