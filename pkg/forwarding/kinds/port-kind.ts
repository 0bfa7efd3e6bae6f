import { isDeepStrictEqual } from 'node:util'
import type { Dataplane, DevicePortSpec, PortSpec, PortStatus } from '../../dataplane/index.ts'
import type { Kind } from '../../reconcile/index.ts'
import { keyBytes, keyText, publicKeyOf } from '../../tunnel/index.ts'
import type { DevicePorts } from './device-ports.ts'

/** What decides whether a port is as wanted: all of it but how its session is doing. */
type PortFacts = Readonly<Record<string, unknown>>

/** The ports of the dataplane, of every kind. */
export function portKind(dataplane: Dataplane, devices: DevicePorts): Kind<PortSpec, PortFacts> {
  return {
    name: 'port',
    key: ({ id }) => id,
    observe: async (_place, signal) =>
      new Map([...(await dataplane.ports(signal))].map(([id, s]) => [id, ofStatus(s)])),
    matches: (spec, actual) => isDeepStrictEqual(ofSpec(spec), actual),
    async apply(spec, actual, signal) {
      if (actual !== undefined && isAnotherDevice(spec, actual)) await devices.replace(spec, signal)
      else if (isDevice(spec)) await devices.make(spec, signal)
      else await dataplane.setPort(spec, signal)
      return ofSpec(spec)
    },
    remove: (id, _actual, signal) => devices.remove(id, signal),
  }
}

function ofSpec(spec: PortSpec): PortFacts {
  if (spec.kind !== 'wireguard') return facts(spec)
  const { privateKey, ...rest } = spec
  return facts({ ...rest, publicKey: keyBytes(publicKeyOf(keyText(privateKey))) })
}

function ofStatus(status: PortStatus): PortFacts {
  switch (status.kind) {
    case 'tun':
    case 'tap': {
      const { ifindex: _, ...rest } = status
      return facts(rest)
    }
    case 'wireguard': {
      const { session: _, handshakeAgeMs: __, ...rest } = status
      return facts(rest)
    }
    case 'vxlan':
      return facts(status)
  }
}

/** Keys as text, prefixes in one order; where a peer may roam, its endpoint is the engine's to know. */
function facts(port: object): PortFacts {
  const isRoaming = 'roaming' in port && port.roaming === true
  const entries = Object.entries(port).filter(([name]) => !(isRoaming && name === 'peerEndpoint'))
  return Object.fromEntries(entries.map(([name, value]) => [name, plain(value)]))
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return keyText(value)
  return Array.isArray(value) ? [...value].sort() : value
}

function isAnotherDevice(spec: PortSpec, actual: PortFacts): boolean {
  if (spec.kind !== actual['kind']) return true
  if (!isDevice(spec)) return false
  return spec.namespace !== actual['namespace'] || spec.interfaceName !== actual['interfaceName']
}

function isDevice(spec: PortSpec): spec is DevicePortSpec {
  return spec.kind === 'tun' || spec.kind === 'tap'
}
