/**
 * What holder and engine remember, in memory. It outlives the door, as the dataplane outlives the daemon: a test
 * restarts the daemon with a new `FakeDataplane` on the same `FakeEngine`.
 */
import type { DevicePortSpec, PortSpec, UnderlaySpec, Verdict } from '../../mechanism/index.ts'
import type { CrossConnect, DataplaneEvent, LinkQuality } from '../door.ts'
import type { Intercept } from './intercept.ts'

/** The part of a kernel that the holder needs: devices that appear in a namespace and go with their port. */
export interface FakeDevices {
  /** Returns the ifindex. @throws {NsmError} `already_exists`, `not_found` */
  addDevice(namespace: string, name: string, kind: string): number
  /** That device and no other, whatever its name is by now: what a closed descriptor does. */
  removeDevice(namespace: string, name: string, index: number): void
}

export class FakeEngine {
  /** All writes that had an effect, such as `cross-connect set <id> <port> <port>`. */
  readonly transcript: string[] = []
  readonly underlays = new Map<string, UnderlaySpec>()
  readonly ports = new Map<string, PortSpec>()
  readonly ifindexes = new Map<string, number>()
  readonly crossConnects = new Map<string, CrossConnect>()
  readonly counters = new Map<string, Map<string, bigint>>()
  readonly rehandshakes: string[] = []
  readonly linkQuality: LinkQuality[] = []
  /** Of the sessions of tunnels, by port. */
  readonly verdicts = new Map<string, { readonly verdict: Verdict; readonly reason: string }>()
  /** Whether the far side answers the handshakes of ports that are set from now on. */
  isAnswered = true
  /** Replace it to inject failures. */
  intercept: Intercept = async (_operation, effect) => effect()
  restarts = 0
  isAway = false
  readonly #devices: FakeDevices | undefined
  readonly #listeners = new Set<(event: DataplaneEvent) => void>()

  /** @param devices where TUN and TAP devices appear; without it they get an index and nothing else */
  constructor(devices?: FakeDevices) {
    this.#devices = devices
  }

  /** The holder starts the engine again at once, with the same objects. */
  killEngine(): void {
    this.emit({ at: 'engine-died', pid: this.pid, reason: 'killed by signal 9' })
    this.restarts += 1
    this.emit({ at: 'engine-started', pid: this.pid, restarts: this.restarts })
  }

  /** The control socket is away: everything is refused with `unavailable`. */
  disconnect(): void {
    this.isAway = true
    this.emit({ at: 'disconnected' })
  }

  reconnect(): void {
    this.isAway = false
    this.emit({ at: 'connected' })
  }

  get pid(): number {
    return 1000 + this.restarts
  }

  addDevice({ id, namespace, interfaceName, kind }: DevicePortSpec): void {
    const index = this.#devices?.addDevice(namespace, interfaceName, kind) ?? this.ifindexes.size + 1
    this.ifindexes.set(id, index)
  }

  removeDevice({ id, namespace, interfaceName }: DevicePortSpec): void {
    this.#devices?.removeDevice(namespace, interfaceName, this.ifindexes.get(id) ?? 0)
    this.ifindexes.delete(id)
  }

  sessionUp(port: string): void {
    this.verdicts.set(port, { verdict: 'up', reason: '' })
    this.emit({ at: 'session-up', port })
  }

  sessionDown(port: string, reason: string): void {
    this.verdicts.set(port, { verdict: 'down', reason })
    this.emit({ at: 'session-down', port, reason })
  }

  emit(event: DataplaneEvent): void {
    for (const listener of this.#listeners) queueMicrotask(() => listener(event))
  }

  subscribe(listener: (event: DataplaneEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
