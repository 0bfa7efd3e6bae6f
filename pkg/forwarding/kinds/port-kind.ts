import { isDeepStrictEqual } from 'node:util'
import type { Dataplane } from '../../dataplane/index.ts'
import { type PortSpec, type PortStatus, portKindOf } from '../../mechanism/index.ts'
import type { Kind } from '../../reconcile/index.ts'
import type { DevicePorts } from './device-ports.ts'

/** The ports of the dataplane, of every kind. */
export function portKind(dataplane: Dataplane, devices: DevicePorts): Kind<PortSpec, PortStatus> {
  return {
    name: 'port',
    key: ({ id }) => id,
    observe: (_place, signal) => dataplane.ports(signal),
    matches: (spec, actual) => isDeepStrictEqual(steady(fresh(spec)), steady(actual)),
    async apply(spec, actual, signal) {
      const { isDevice } = portKindOf(spec)
      if (actual !== undefined && isAnotherDevice(spec, actual)) await devices.replace(spec, signal)
      else if (isDevice) await devices.make(spec, signal)
      else await dataplane.setPort(spec, signal)
      return fresh(spec)
    },
    remove: (id, _actual, signal) => devices.remove(id, signal),
  }
}

function fresh(spec: PortSpec): PortStatus {
  return portKindOf(spec).fresh(spec)
}

/** The part that decides whether the port is as wanted. */
function steady(status: PortStatus): unknown {
  return portKindOf(status).steady(status)
}

/** A device with another namespace or name is another device, and so is a port of another kind. */
function isAnotherDevice(spec: PortSpec, actual: PortStatus): boolean {
  if (spec.kind !== actual.kind) return true
  return portKindOf(spec).isDevice && !isDeepStrictEqual(steady(fresh(spec)), steady(actual))
}
