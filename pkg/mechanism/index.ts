/**
 * What a node does with each mechanism of NSM, from the parameters on which two hops agree to the port of the dataplane:
 * one module for each mechanism, and one list, through which all other folders go. Pure.
 */
export { type DevicePortSpec, generateInterfaceName, KERNEL, type KernelEnd, kernelParameter } from './kernel.ts'
export { generateKey, isWireKey, keyBytes, publicKeyOf, type WireKey } from './key.ts'
export {
  type AgreedEnd,
  EMPTY_VIEW,
  type EndView,
  type Host,
  LOCAL,
  type Proposal,
  REMOTE,
  type Role,
  type Tunnel,
  type Verdict,
  type Wanted,
  type WorkloadInterface,
} from './mechanism-kind.ts'
export {
  type AnyMechanism,
  available,
  completeEnd,
  type End,
  isAgreedHere,
  isForOursAlone,
  isSameSession,
  mechanismOf,
  mechanisms,
  type PortSpec,
  type PortStatus,
  planPort,
  portKindOf,
  portKinds,
  underlaysOf,
  viewEnd,
  workloadOf,
} from './mechanisms.ts'
export { LOCAL_MTU_BYTES, lowestMtuBytes } from './mtu.ts'
export { type NsmUrl, parseNsmUrl, parseNsmUrls, sharedInterface } from './nsm-url.ts'
export { readMtu } from './parameters.ts'
export type { UnderlaySpec } from './port-kind.ts'
export type { WireIntent } from './wire-intent.ts'
export type { AeadName, Terms } from './wireguard/agreement.ts'
export type { WireguardEnd, WireguardPortSpec, WireguardPortStatus } from './wireguard/port.ts'
