/** The configuration of the programs, one table each. Only this folder reads environment variables. */

export { readTextFile, readWholeFile } from './files.ts'
export { clusterOf, type KubernetesAccess } from './kubernetes.ts'
export { type GateConfig, gateConfig } from './nsm-gate.ts'
export { type RegistryConfig, registryConfig } from './nsm-registry.ts'
export { type NsmdConfig, nsmdConfig } from './nsmd.ts'
export { ownNamespace } from './own-namespace.ts'
export {
  absolutePath,
  boolean,
  duration,
  ip,
  type LogLevel,
  list,
  logLevel,
  name,
  port,
  prefix,
  uapiSocket,
  url,
} from './parsers.ts'
export type {
  Config,
  Environment,
  Parser,
  Variable,
  VariableText,
} from './table.ts'
export {
  type NsmClientConfig,
  type NsmctlConfig,
  type NsmEndpointConfig,
  nsmClientConfig,
  nsmctlConfig,
  nsmEndpointConfig,
} from './workload.ts'
