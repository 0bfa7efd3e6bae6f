/** Shows the sessions of a node to WireGuard's own tools, through its configuration protocol (UAPI), read-only. */
export { listDevice } from './device.ts'
export { serveUapi } from './server.ts'
export { type SessionsOptions, serveSessions } from './sessions.ts'
