/** Who sees which connections of this node, now and as they change. */
export {
  type ConnectionChange,
  ConnectionMonitor,
  type ConnectionMonitorOptions,
  type Connections,
  type WatchedConnection,
} from './connection-monitor.ts'
export { isSelected } from './select-connections.ts'
