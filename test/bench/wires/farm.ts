/**
 * Many wires between two dataplanes. Each wire has, at the near end, a TUN device, a WireGuard port with keys of its
 * own and the wire that joins them, as every wire of nsmesh has; at the far end the WireGuard port that answers. Only
 * wire 0 has a device there too, so that something can flow: 10,000 more devices would measure the kernel.
 */
import { generateKey, type WireKey } from '../../../pkg/mechanism/index.ts'
import { wireguardPort } from '../../../pkg/mechanism/testing/index.ts'
import { DATAPLANE } from '../../lab/programs.ts'
import { type SteeredDataplane, soon, startDataplane } from '../dataplane.ts'
import type { Pair, PublicHost } from '../system.ts'

const MTU_BYTES = 1420
/** Requests under way at a time; the holder queues more, but not without end. */
const AT_A_TIME = 64
/** Handshakes under way: few enough that the answering node does not believe in a flood. */
const HANDSHAKES_AT_A_TIME = 32
const HANDSHAKE_MS = 20_000
/** Of `ip link`: all devices of a farm can be deleted at once, one by one they take a minute. */
const DEVICE_GROUP = 5

export interface FarmEnd extends PublicHost {
  readonly holder: SteeredDataplane
  readonly nodeKey: WireKey
  readonly wireKeys: WireKey[]
}

interface Direction {
  readonly own: FarmEnd
  readonly other: FarmEnd
}

export interface FarmSpec {
  /** Its devices are `<name><number>`. */
  readonly name: string
  readonly udpPort: number
  /** Of the inner addresses 10.`second`.0.0/16 and above, four a wire. */
  readonly second: number
}

export class WireFarm {
  readonly near: FarmEnd
  readonly far: FarmEnd
  readonly #spec: FarmSpec

  private constructor(spec: FarmSpec, near: FarmEnd, far: FarmEnd) {
    this.#spec = spec
    this.near = near
    this.far = far
  }

  static async create(spec: FarmSpec, { lab, left, right }: Pair): Promise<WireFarm> {
    const { name, udpPort } = spec
    const end = async (own: PublicHost, side: string): Promise<FarmEnd> => {
      const holder = await startDataplane(lab, own.host, `${name}-${side}`, DATAPLANE)
      return { ...own, holder, nodeKey: generateKey(), wireKeys: [] }
    }
    const farm = new WireFarm(spec, await end(left, 'near'), await end(right, 'far'))
    lab.defer(() => farm.#deleteDevices())
    for (const { holder, address: ip, nodeKey } of [farm.near, farm.far]) {
      const { privateKey } = nodeKey
      const listen = { ip, port: udpPort }
      await holder.dataplane.setUnderlay({ id: 'net', kind: 'wireguard', listen, privateKey }, soon())
    }
    return farm
  }

  get #outward(): Direction {
    return { own: this.near, other: this.far }
  }

  get #inward(): Direction {
    return { own: this.far, other: this.near }
  }

  get count(): number {
    return this.near.wireKeys.length
  }

  /** Makes wires until there are `count`. @returns seconds that the near end took for its part */
  async grow(count: number): Promise<number> {
    const wires = Array.from({ length: count - this.count }, (_, index) => this.count + index)
    for (const end of [this.near, this.far]) for (const _ of wires) end.wireKeys.push(generateKey())
    await eachOf(wires, AT_A_TIME, (wire) => this.#setFarEnd(wire))
    const startMs = performance.now()
    await eachOf(wires, AT_A_TIME, (wire) => this.#setNearEnd(wire))
    return (performance.now() - startMs) / 1_000
  }

  /** New sessions for all wires from `first` on, each asked for by the near end. */
  async handshake(first: number): Promise<void> {
    const { dataplane } = this.near.holder
    const up = new Set<string>()
    const stop = dataplane.subscribe((event) => event.at === 'session-up' && up.add(event.port))
    const wires = Array.from({ length: this.count - first }, (_, index) => first + index)
    await eachOf(wires, HANDSHAKES_AT_A_TIME, async (wire) => {
      await dataplane.rehandshake(`wg-${wire}`, soon())
      const deadlineMs = performance.now() + HANDSHAKE_MS
      while (!up.has(`wg-${wire}`)) {
        if (performance.now() > deadlineMs) throw new Error(`wire ${wire} of ${this.#spec.name} got no session`)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })
    stop()
  }

  /** Both ends' WireGuard ports send when nothing else was sent for so long; 0: never. */
  async keepAlive(keepaliveSeconds: number): Promise<void> {
    const wires = this.near.wireKeys.map((_, wire) => wire)
    await eachOf(wires, AT_A_TIME, (wire) => this.#setWireguard(wire, this.#outward, keepaliveSeconds))
    await eachOf(wires, AT_A_TIME, (wire) => this.#setWireguard(wire, this.#inward, keepaliveSeconds))
  }

  /** The address of `host` (1: near, 2: far) in the subnet of a wire, a /30. */
  inner(host: number, wire = 0): string {
    const number = wire * 4 + host
    return `10.${this.#spec.second + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
  }

  async setDevice({ holder }: FarmEnd, wire: number): Promise<void> {
    const { dataplane, namespace } = holder
    const interfaceName = `${this.#spec.name}${wire}`
    await dataplane.setPort({ id: `tun-${wire}`, kind: 'tun', namespace, interfaceName }, soon())
    await dataplane.setCrossConnect({ id: `wire-${wire}`, ports: [`tun-${wire}`, `wg-${wire}`] }, soon())
  }

  async #setFarEnd(wire: number): Promise<void> {
    await this.#setWireguard(wire, this.#inward)
  }

  async #setNearEnd(wire: number): Promise<void> {
    await this.#setWireguard(wire, this.#outward)
    await this.setDevice(this.near, wire)
  }

  async #deleteDevices(): Promise<void> {
    const { host } = this.near
    await host.ip(...this.near.wireKeys.map((_, wire) => `link set ${this.#spec.name}${wire} group ${DEVICE_GROUP}`))
    await host.ip(`link delete group ${DEVICE_GROUP}`)
  }

  async #setWireguard(wire: number, { own, other }: Direction, keepaliveSeconds = 0): Promise<void> {
    const [ownKey, otherKey] = [own.wireKeys[wire], other.wireKeys[wire]]
    if (ownKey === undefined || otherKey === undefined) throw new Error(`wire ${wire} has no keys`)
    const spec = wireguardPort({
      id: `wg-${wire}`,
      underlay: 'net',
      privateKey: ownKey.privateKey,
      peerResponderKey: other.nodeKey.publicKey,
      peerInitiatorKey: otherKey.publicKey,
      peer: { ip: other.address, port: this.#spec.udpPort },
      aead: 'aes256gcm',
      localPrefixes: [`${this.inner(0, wire)}/30`],
      remotePrefixes: [`${this.inner(0, wire)}/30`],
      mtuBytes: MTU_BYTES,
      keepaliveSeconds,
      probeMessages: false, // a probed link has a session before it is asked for
    })
    await own.holder.dataplane.setPort(spec, soon())
  }
}

async function eachOf(wires: readonly number[], atATime: number, work: (wire: number) => Promise<void>): Promise<void> {
  const left = wires.values()
  const worker = async () => {
    for (const wire of left) await work(wire)
  }
  await Promise.all(Array.from({ length: atATime }, worker))
}
