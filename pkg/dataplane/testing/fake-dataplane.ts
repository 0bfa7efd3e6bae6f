import { createPrivateKey, createPublicKey } from 'node:crypto'
import { NsmError } from '../../base/index.ts'
import type { Dataplane, DevicePortSpec, PortSpec, PortStatus, WireSpec } from '../door.ts'
import { checkId, checkPort, checkWire } from '../object-rules.ts'
import type { FakeEngine } from './fake-engine.ts'

/** The dataplane's door over memory, with the rules of the real one. */
export function fakeDataplane(engine: FakeEngine): Dataplane {
  return {
    status: (signal) =>
      read(engine, {
        command: 'hello',
        effect: () => ({
          version: 'fake',
          enginePid: engine.pid,
          engineRestarts: engine.restarts,
          features: new Map(),
        }),
        signal,
      }),
    async setUnderlay(spec, signal) {
      const command = `underlay set ${checkId(spec.id)} ${spec.kind} ${spec.listen.ip} ${spec.listen.port}`
      await write(engine, { command, effect: () => void engine.underlays.set(spec.id, spec), signal })
    },
    ports: (signal) =>
      read(engine, {
        command: 'list ports',
        effect: () => new Map([...engine.ports].map(([id, spec]) => [id, toStatus(engine, spec)])),
        signal,
      }),
    async setPort(spec, signal) {
      checkPort(spec)
      await write(engine, { command: `port set ${spec.id} ${spec.kind}`, effect: () => setPort(engine, spec), signal })
    },
    async removePort(id, signal) {
      if (!engine.ports.has(checkId(id)) && !engine.isAway) return
      await write(engine, { command: `port del ${id}`, effect: () => removePort(engine, id), signal })
    },
    wires: (signal) => read(engine, { command: 'list wires', effect: () => new Map(engine.wires), signal }),
    async setWire(spec, signal) {
      checkWire(spec)
      const command = `wire set ${spec.id} ${spec.ports.join(' ')}`
      await write(engine, { command, effect: () => setWire(engine, spec), signal })
    },
    async removeWire(id, signal) {
      if (!engine.wires.has(checkId(id)) && !engine.isAway) return
      await write(engine, { command: `wire del ${id}`, effect: () => void engine.wires.delete(id), signal })
    },
    paths: (signal) => read(engine, { command: 'list paths', effect: () => [...engine.paths], signal }),
    async rehandshake(portId, signal) {
      const effect = () => {
        requirePort(engine, portId)
        engine.rehandshakes.push(portId)
      }
      await write(engine, { command: `rehandshake ${portId}`, effect, signal })
    },
    counters: (signal) => read(engine, { command: 'list counters', effect: () => new Map(engine.counters), signal }),
    subscribe: (listener) => engine.subscribe(listener),
  }
}

type NetworkPortSpec = Exclude<PortSpec, DevicePortSpec>

interface Run<T> {
  readonly command: string
  readonly effect: () => T
  readonly signal: AbortSignal
}

async function write(engine: FakeEngine, { command, effect, signal }: Run<void>): Promise<void> {
  requirePresent(engine, signal)
  const noted = () => {
    effect()
    engine.transcript.push(command)
  }
  await engine.intercept({ command, isWrite: true }, noted, signal)
}

async function read<T>(engine: FakeEngine, { command, effect, signal }: Run<T>): Promise<T> {
  requirePresent(engine, signal)
  let result: { readonly value: T } | undefined
  const kept = () => {
    result = { value: effect() }
  }
  await engine.intercept({ command, isWrite: false }, kept, signal)
  if (result === undefined) throw new NsmError('internal', 'Cannot read: the intercept left the effect out')
  return result.value
}

function requirePresent(engine: FakeEngine, signal: AbortSignal): void {
  signal.throwIfAborted()
  if (engine.isAway) throw new NsmError('unavailable', 'Cannot reach the dataplane: its control socket is away')
}

function requirePort(engine: FakeEngine, id: string): PortSpec {
  const spec = engine.ports.get(id)
  if (spec !== undefined) return spec
  throw new NsmError('not_found', 'Cannot use the port: the dataplane has none of this id', { fields: { port: id } })
}

/** As the engine: another kind or another peer under the same id makes the port anew. The holder keeps a device. */
function setPort(engine: FakeEngine, spec: PortSpec): void {
  if (isDevice(spec)) setDevice(engine, spec, engine.ports.get(spec.id))
  else checkNetworkPort(engine, spec)
  engine.ports.set(spec.id, spec)
}

/** An underlay finds a WireGuard peer by its key and a VXLAN one by its VNI: no two ports may share them. */
function checkNetworkPort(engine: FakeEngine, spec: NetworkPortSpec): void {
  if (!engine.underlays.has(spec.underlay)) {
    throw new NsmError('not_found', 'Cannot set the port: its underlay does not exist', {
      fields: { port: spec.id, underlay: spec.underlay },
    })
  }
  const other = [...engine.ports.values()].find((port) => port.id !== spec.id && isSamePeer(port, spec))
  if (other !== undefined) {
    throw new NsmError('already_exists', 'Cannot set the port: another one has its key or VNI', {
      fields: { port: spec.id, other: other.id },
    })
  }
}

function isSamePeer(a: PortSpec, b: NetworkPortSpec): boolean {
  if (a.kind === 'wireguard' && b.kind === 'wireguard') {
    return a.underlay === b.underlay && Buffer.from(a.peerInitiatorKey).equals(b.peerInitiatorKey)
  }
  return a.kind === 'vxlan' && b.kind === 'vxlan' && a.underlay === b.underlay && a.vni === b.vni
}

function setDevice(engine: FakeEngine, spec: DevicePortSpec, before: PortSpec | undefined): void {
  if (before === undefined || !isDevice(before)) engine.addDevice(spec)
  else if (!isSameDevice(before, spec)) {
    throw new NsmError('already_exists', 'Cannot set the port: its id has another device', {
      fields: { port: spec.id },
    })
  }
}

function removePort(engine: FakeEngine, id: string): void {
  const spec = engine.ports.get(id)
  if (spec !== undefined && isDevice(spec)) engine.removeDevice(spec)
  engine.ports.delete(id)
}

/** A wire joins a device to the network, and a port belongs to one wire. */
function setWire(engine: FakeEngine, spec: WireSpec): void {
  const kinds = spec.ports.map((id) => kindOf(requirePort(engine, id))).sort()
  if (!['tun+wireguard IP', 'tap+vxlan', 'tap+wireguard ETHERNET'].includes(kinds.join('+'))) {
    throw new NsmError('unimplemented', 'Cannot set the wire: its ports do not carry the same', {
      fields: { wire: spec.id, kinds: kinds.join(', ') },
    })
  }
  const other = [...engine.wires.values()].find(
    ({ id, ports }) => id !== spec.id && ports.some((port) => spec.ports.includes(port)),
  )
  if (other !== undefined) {
    throw new NsmError('failed_precondition', 'Cannot set the wire: a port belongs to another one', {
      fields: { wire: spec.id, other: other.id },
    })
  }
  engine.wires.set(spec.id, spec)
}

function kindOf(spec: PortSpec): string {
  return spec.kind === 'wireguard' ? `wireguard ${spec.payload}` : spec.kind
}

function isSameDevice(a: DevicePortSpec, b: DevicePortSpec): boolean {
  return a.namespace === b.namespace && a.interfaceName === b.interfaceName
}

function isDevice(spec: PortSpec): spec is DevicePortSpec {
  return spec.kind === 'tun' || spec.kind === 'tap'
}

function toStatus(engine: FakeEngine, spec: PortSpec): PortStatus {
  if (isDevice(spec)) return { ...spec, ifindex: engine.ifindexes.get(spec.id) ?? 0 }
  if (spec.kind === 'vxlan') return spec
  const { privateKey, ...rest } = spec
  return { ...rest, publicKey: publicKeyOf(privateKey), session: 'idle', handshakeAgeMs: undefined }
}

/** DER around a raw X25519 key, RFC 8410. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI_PREFIX_BYTES = 12

function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  const der = Buffer.concat([PKCS8_PREFIX, privateKey])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX_BYTES))
}
