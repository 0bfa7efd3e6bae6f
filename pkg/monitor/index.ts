/** Who sees which connections, and what other nodes say about ours. */
export {
  type ConnectionChange,
  ConnectionMonitor,
  type ConnectionMonitorOptions,
  type Connections,
  type WatchedConnection,
} from './connection-monitor.ts'
export { FarEnds, type FarEndsOptions } from './far-ends.ts'
export { isSelected } from './select-connections.ts'
