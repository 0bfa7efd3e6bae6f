import { isDeepStrictEqual } from 'node:util'
import { NsmError } from '../../base/index.ts'
import { type DevicePortSpec, type PortSpec, type PortStatus, portKindOf } from '../../mechanism/index.ts'
import type { CrossConnect, Dataplane } from '../door.ts'
import { checkCrossConnect, checkId, checkPort } from '../object-rules.ts'
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
    crossConnects: (signal) =>
      read(engine, { command: 'list cross-connects', effect: () => new Map(engine.crossConnects), signal }),
    async setCrossConnect(spec, signal) {
      checkCrossConnect(spec)
      const command = `cross-connect set ${spec.id} ${spec.ports.join(' ')}`
      await write(engine, { command, effect: () => setCrossConnect(engine, spec), signal })
    },
    async removeCrossConnect(id, signal) {
      if (!engine.crossConnects.has(checkId(id)) && !engine.isAway) return
      const effect = () => void engine.crossConnects.delete(id)
      await write(engine, { command: `cross-connect del ${id}`, effect, signal })
    },
    linkQuality: (signal) =>
      read(engine, { command: 'list link quality', effect: () => [...engine.linkQuality], signal }),
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

type TunnelPortSpec = Exclude<PortSpec, DevicePortSpec>

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
  else checkTunnelPort(engine, spec)
  const before = engine.ports.get(spec.id)
  const isNew = before === undefined || (!isDevice(before) && !isDevice(spec) && !isSamePeer(before, spec))
  engine.ports.set(spec.id, spec)
  if (isNew && engine.isAnswered && 'verdict' in portKindOf(spec).fresh(spec)) engine.sessionUp(spec.id)
}

function isSamePeer(before: TunnelPortSpec, spec: TunnelPortSpec): boolean {
  const keysOf = (port: TunnelPortSpec) =>
    port.kind === 'wireguard' ? [port.privateKey, port.peerResponderKey, port.peerInitiatorKey, port.aead] : []
  return before.kind === spec.kind && isDeepStrictEqual(keysOf(before), keysOf(spec))
}

function checkTunnelPort(engine: FakeEngine, spec: TunnelPortSpec): void {
  if (!engine.underlays.has(spec.underlay)) {
    throw new NsmError('not_found', 'Cannot set the port: its underlay does not exist', {
      fields: { port: spec.id, underlay: spec.underlay },
    })
  }
  const other = [...engine.ports.values()].find((port) => port.id !== spec.id && hasItsPackets(port, spec))
  if (other !== undefined) {
    throw new NsmError('already_exists', 'Cannot set the port: another one gets its packets', {
      fields: { port: spec.id, other: other.id },
    })
  }
}

function hasItsPackets(port: PortSpec, spec: TunnelPortSpec): boolean {
  if (isDevice(port) || port.underlay !== spec.underlay) return false
  return portKindOf(port).packetKey?.(port) === portKindOf(spec).packetKey?.(spec)
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
  engine.verdicts.delete(id)
}

/** A cross-connect joins a device to a tunnel, and a port belongs to one cross-connect. */
function setCrossConnect(engine: FakeEngine, spec: CrossConnect): void {
  const [a, b] = [requirePort(engine, spec.ports[0]), requirePort(engine, spec.ports[1])]
  if (isDevice(a) === isDevice(b) || carries(a) !== carries(b)) {
    throw new NsmError('unimplemented', 'Cannot set the cross-connect: its ports do not carry the same', {
      fields: { id: spec.id, kinds: `${a.kind}, ${b.kind}` },
    })
  }
  const other = [...engine.crossConnects.values()].find(
    ({ id, ports }) => id !== spec.id && ports.some((port) => spec.ports.includes(port)),
  )
  if (other !== undefined) {
    throw new NsmError('failed_precondition', 'Cannot set the cross-connect: a port belongs to another one', {
      fields: { id: spec.id, other: other.id },
    })
  }
  engine.crossConnects.set(spec.id, spec)
}

function carries(spec: PortSpec): string {
  return portKindOf(spec).carries(spec)
}

function isSameDevice(a: DevicePortSpec, b: DevicePortSpec): boolean {
  return a.namespace === b.namespace && a.interfaceName === b.interfaceName
}

function isDevice(spec: PortSpec): spec is DevicePortSpec {
  return portKindOf(spec).isDevice
}

function toStatus(engine: FakeEngine, spec: PortSpec): PortStatus {
  const status = portKindOf(spec).fresh(spec)
  if ('ifindex' in status) return { ...status, ifindex: engine.ifindexes.get(spec.id) ?? 0 }
  return 'verdict' in status ? { ...status, ...engine.verdicts.get(spec.id) } : status
}
