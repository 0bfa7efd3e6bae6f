/**
 * What each process is made of. The parts of a program are loaded when it starts: none loads the code of the others,
 * and `--help` loads none.
 */
import {
  type GateConfig,
  gateConfig,
  type NsmClientConfig,
  type NsmdConfig,
  type NsmEndpointConfig,
  nsmClientConfig,
  nsmdConfig,
  nsmEndpointConfig,
  type RegistryConfig,
  registryConfig,
} from '../config/index.ts'
import type { Program } from './run-program.ts'

export { type Program, runProgram } from './run-program.ts'

export const registryProgram: Program<RegistryConfig> = {
  name: 'nsm-registry',
  config: registryConfig,
  start: async (config, runtime) => (await import('./nsm-registry/registry.ts')).startRegistry(config, runtime),
}

export const clientProgram: Program<NsmClientConfig> = {
  name: 'nsm-client',
  config: nsmClientConfig,
  start: async (config, runtime) => (await import('./nsm-client/index.ts')).startClient(config, runtime),
}

export const endpointProgram: Program<NsmEndpointConfig> = {
  name: 'nsm-endpoint',
  config: nsmEndpointConfig,
  start: async (config, runtime) => (await import('./nsm-endpoint/index.ts')).startEndpoint(config, runtime),
}

export const nsmdProgram: Program<NsmdConfig> = {
  name: 'nsmd',
  config: nsmdConfig,
  start: async (config, runtime) => (await import('./nsmd/index.ts')).startNode(config, runtime),
}

export const gateProgram: Program<GateConfig> = {
  name: 'nsm-gate',
  config: gateConfig,
  start: async (config, runtime) => (await import('./nsm-gate/index.ts')).startGate(config, runtime),
}
