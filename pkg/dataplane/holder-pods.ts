/** The network namespaces of pods, as the holder finds and keeps them: one pin for each pod. */
import { errorCode } from '../base/index.ts'
import {
  Attributes,
  attribute,
  attributeType,
  messageType,
  type RtnlTransport,
  readNamespace,
  required,
} from '../netlink/index.ts'
import type { ControlClient } from './control-client.ts'

/** By which a pin of a pod is told from those of wires. */
export const POD_PIN = 'pod-'

type Pins = Pick<RtnlTransport, 'pins' | 'pin' | 'unpin'>

export class HolderPods {
  readonly #client: Pick<ControlClient, 'request'>
  readonly #pins: Pins
  #isSwept = false

  constructor(client: Pick<ControlClient, 'request'>, pins: Pins) {
    this.#client = client
    this.#pins = pins
  }

  /**
   * The namespace of the pod's processes, which is then kept until `release`.
   * @throws {NsmError} `not_found` where no process of it runs, and what else the holder refuses, with its sentence
   */
  async find(pod: string, signal: AbortSignal): Promise<string> {
    await this.#sweep(signal)
    await this.release(pod, signal)
    const attributes = [attribute.text(attributeType.id, pinOf(pod)), attribute.text(attributeType.pod, pod)]
    const what = 'Cannot find the network of the pod'
    const [reply] = await this.#client.request({ type: messageType.podPin, what, fields: { pod }, attributes }, signal)
    return required('pod', attributeType.nsIno, reply && readNamespace(new Attributes(reply.body)))
  }

  /** Keeps a namespace that the holder has at this moment, until `release`. */
  async keep(pod: string, namespace: string, signal: AbortSignal): Promise<void> {
    await this.#sweep(signal)
    await this.release(pod, signal)
    await this.#pins.pin(pinOf(pod), namespace, signal)
  }

  async release(pod: string, signal: AbortSignal): Promise<void> {
    await this.#pins.unpin(pinOf(pod), signal).catch((error: unknown) => {
      if (errorCode(error) !== 'not_found') throw error
    })
  }

  /** The pins of an earlier run of this daemon: what is still needed is found again. */
  async #sweep(signal: AbortSignal): Promise<void> {
    if (this.#isSwept) return
    this.#isSwept = true
    const former = [...(await this.#pins.pins(signal)).keys()].filter((id) => id.startsWith(POD_PIN))
    await Promise.all(former.map((id) => this.#pins.unpin(id, signal)))
  }
}

function pinOf(pod: string): string {
  return `${POD_PIN}${pod}`
}
