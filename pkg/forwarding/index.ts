/** Wires: from durable intents to links, addresses, routes, ports and what joins them. */
export { Forwarder, type ForwarderOptions } from './forwarder.ts'
export { intentMigrations } from './intent-store.ts'
