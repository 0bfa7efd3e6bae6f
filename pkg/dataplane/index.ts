/** The door to nsm-dataplane: ports, sessions, cross-connects, counters and events. */
export { ControlClient, type ControlClientOptions } from './control-client.ts'
export type { CrossConnect, Dataplane, DataplaneEvent, DataplaneStatus, LinkQuality } from './door.ts'
export { GateSocket, type GateSocketOptions } from './gate-socket.ts'
export { HolderDataplane } from './holder-dataplane.ts'
export { HolderPods, POD_PIN } from './holder-pods.ts'
export { HolderRtnl } from './holder-rtnl.ts'
export { endOfPort, portId } from './port-id.ts'
