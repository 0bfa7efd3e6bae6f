/** What WireGuard's own tools see of a node: its sessions, through the configuration protocol, read-only. */
export { listDevice } from './device.ts'
export { serveUapi } from './server.ts'
export { type SessionsOptions, serveSessions } from './sessions.ts'
