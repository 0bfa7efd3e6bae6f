/** Built-in endpoints: what answers at the far end of a wire, and keeps itself registered. */
export { type EndpointOptions, EndpointServer } from './endpoint-server.ts'
export { onlyOwnNode } from './only-own-node.ts'
export { Registration, type RegistrationOptions } from './registration.ts'
export { type StandingOptions, standingConnections } from './standing.ts'
