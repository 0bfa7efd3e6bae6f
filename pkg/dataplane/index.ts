/** The door to nsm-dataplane: ports, sessions, wires, counters and events. */
export { ControlClient, type ControlClientOptions } from './control-client.ts'
export type {
  Aead,
  Dataplane,
  DataplaneEvent,
  DataplaneStatus,
  DevicePortSpec,
  Endpoint,
  PathStatus,
  PortSpec,
  PortStatus,
  UnderlaySpec,
  VxlanPortSpec,
  WireguardPortSpec,
  WireSpec,
} from './door.ts'
export { HolderDataplane } from './holder-dataplane.ts'
export { HolderRtnl } from './holder-rtnl.ts'
export { connectionOfPort, portId } from './port-id.ts'
