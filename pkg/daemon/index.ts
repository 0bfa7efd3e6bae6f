/**
 * What each process is made of. A program is loaded on demand, so that none loads the code of the others.
 */
export { type Program, runProgram } from './run-program.ts'
export const loadRegistry = async () => (await import('./nsm-registry/registry.ts')).registryProgram
export const loadClient = async () => (await import('./nsm-client/index.ts')).clientProgram
export const loadEndpoint = async () => (await import('./nsm-endpoint/index.ts')).endpointProgram
export const loadNode = async () => (await import('./nsmd/index.ts')).nsmdProgram
