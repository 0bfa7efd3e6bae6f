/** The door to nsm-dataplane: ports, sessions, wires, counters and events. */
export type {
  Aead,
  Dataplane,
  DataplaneEvent,
  DataplaneStatus,
  DevicePortSpec,
  Endpoint,
  PortSpec,
  PortStatus,
  UnderlaySpec,
  VxlanPortSpec,
  WireguardPortSpec,
  WireSpec,
} from './door.ts'
export { fakeDataplane } from './fake/fake-dataplane.ts'
export { type FakeDevices, FakeEngine } from './fake/fake-engine.ts'
