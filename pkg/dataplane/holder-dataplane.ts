/** The dataplane's door over the holder's control socket. */
import { describeError, errorCode, Listeners, type Logger } from '../base/index.ts'
import type { PortSpec, PortStatus, UnderlaySpec } from '../mechanism/index.ts'
import {
  type Attribute,
  Attributes,
  attribute,
  attributeType,
  type Message,
  messageType,
  required,
} from '../netlink/index.ts'
import type { ControlClient } from './control-client.ts'
import type { CrossConnect, Dataplane, DataplaneEvent, DataplaneStatus, LinkQuality } from './door.ts'
import { decodeEvent } from './event-codec.ts'
import { decodeLinkQuality } from './link-quality-codec.ts'
import { checkCrossConnect, checkId, checkPort } from './object-rules.ts'
import { decodePort, encodePort, encodeUnderlay } from './port-codec.ts'

export class HolderDataplane implements Dataplane {
  readonly #client: ControlClient
  readonly #listeners = new Listeners<[event: DataplaneEvent]>()
  #isConnected = false

  constructor(client: ControlClient, logger: Logger) {
    this.#client = client
    client.onMessage((message) => {
      if (message.type !== messageType.event) return
      try {
        this.#emit(decodeEvent(message))
      } catch (error) {
        logger.warn('Cannot read an event of the dataplane', { error: describeError(error) })
      }
    })
    client.onState(({ at }) => {
      const isConnected = at === 'connected'
      if (isConnected !== this.#isConnected) this.#emit({ at: isConnected ? 'connected' : 'disconnected' })
      this.#isConnected = isConnected
    })
  }

  async status(signal: AbortSignal): Promise<DataplaneStatus> {
    const [reply] = await this.#client.request(this.#client.hello(), signal)
    const attributes = new Attributes(reply?.body ?? new Uint8Array())
    const features = attributes.all(attributeType.feature).map((bytes) => new TextDecoder().decode(bytes).split('='))
    return {
      version: attributes.text(attributeType.build) ?? '',
      enginePid: attributes.u32(attributeType.enginePid) ?? 0,
      engineRestarts: attributes.u32(attributeType.engineRestarts) ?? 0,
      features: new Map(features.map(([name = '', state = '']) => [name, state])),
    }
  }

  async setUnderlay(spec: UnderlaySpec, signal: AbortSignal): Promise<void> {
    checkId(spec.id)
    const fields = { underlay: spec.id, ip: spec.listen.ip, port: spec.listen.port }
    const what = 'Cannot open the underlay socket'
    await this.#client.request(
      { type: messageType.underlaySet, what, fields, attributes: encodeUnderlay(spec) },
      signal,
    )
  }

  async ports(signal: AbortSignal): Promise<ReadonlyMap<string, PortStatus>> {
    const replies = await this.#get(messageType.portGet, signal)
    return new Map(replies.map(decodePort).map((port) => [port.id, port]))
  }

  async setPort(spec: PortSpec, signal: AbortSignal): Promise<void> {
    checkPort(spec)
    const fields = { port: spec.id, kind: spec.kind }
    const request = { type: messageType.portSet, what: 'Cannot set the port', fields, attributes: encodePort(spec) }
    await this.#client.request(request, signal)
  }

  async removePort(id: string, signal: AbortSignal): Promise<void> {
    await this.#remove({ type: messageType.portDel, what: 'Cannot remove the port', id }, signal)
  }

  async crossConnects(signal: AbortSignal): Promise<ReadonlyMap<string, CrossConnect>> {
    const replies = await this.#get(messageType.crossConnectGet, signal)
    return new Map(
      replies.map(({ body }) => {
        const attributes = new Attributes(body)
        const name = (type: number) => required('cross-connect', type, attributes.text(type))
        const id = name(attributeType.id)
        return [id, { id, ports: [name(attributeType.portA), name(attributeType.portB)] }]
      }),
    )
  }

  async setCrossConnect(spec: CrossConnect, signal: AbortSignal): Promise<void> {
    checkCrossConnect(spec)
    const attributes = [
      ...idAttributes(spec.id),
      attribute.text(attributeType.portA, spec.ports[0]),
      attribute.text(attributeType.portB, spec.ports[1]),
    ]
    const what = 'Cannot set the cross-connect'
    await this.#client.request({ type: messageType.crossConnectSet, what, fields: { id: spec.id }, attributes }, signal)
  }

  async removeCrossConnect(id: string, signal: AbortSignal): Promise<void> {
    await this.#remove({ type: messageType.crossConnectDel, what: 'Cannot remove the cross-connect', id }, signal)
  }

  async linkQuality(signal: AbortSignal): Promise<readonly LinkQuality[]> {
    return (await this.#get(messageType.linkQualityGet, signal)).map(decodeLinkQuality)
  }

  async rehandshake(portId: string, signal: AbortSignal): Promise<void> {
    const what = 'Cannot start a handshake'
    const attributes = idAttributes(portId)
    await this.#client.request({ type: messageType.rehandshake, what, fields: { port: portId }, attributes }, signal)
  }

  async counters(signal: AbortSignal): Promise<ReadonlyMap<string, ReadonlyMap<string, bigint>>> {
    const replies = await this.#get(messageType.countersGet, signal)
    return new Map(replies.map(decodeCounters))
  }

  subscribe(listener: (event: DataplaneEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  #get(type: number, signal: AbortSignal): Promise<readonly Message[]> {
    return this.#client.request({ type, what: 'Cannot list what the dataplane has', attributes: [] }, signal)
  }

  async #remove(object: { type: number; what: string; id: string }, signal: AbortSignal): Promise<void> {
    const { type, what, id } = object
    try {
      await this.#client.request({ type, what, fields: { id }, attributes: idAttributes(id) }, signal)
    } catch (error) {
      if (errorCode(error) !== 'not_found') throw error
    }
  }

  #emit(event: DataplaneEvent | undefined): void {
    if (event !== undefined) this.#listeners.tell(event)
  }
}

function idAttributes(id: string): readonly Attribute[] {
  return [attribute.text(attributeType.id, checkId(id))]
}

function decodeCounters({ body }: Message): readonly [string, ReadonlyMap<string, bigint>] {
  const attributes = new Attributes(body)
  const counters = attributes.all(attributeType.counter).map((bytes): readonly [string, bigint] => {
    const counter = new Attributes(bytes)
    const name = required('counter', attributeType.counterName, counter.text(attributeType.counterName))
    return [name, required('counter', attributeType.counterValue, counter.u64(attributeType.counterValue))]
  })
  return [required('counters', attributeType.id, attributes.text(attributeType.id)), new Map(counters)]
}
