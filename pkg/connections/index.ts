/** The connections of a node, as they stand: in memory for everybody who reads, on disk for the next start. */
export { CallerIds, callerKey } from './caller-ids.ts'
export { connectionRecords, connectionsSchema, ownerNamespaces } from './connection-records.ts'
export {
  type ConnectionRecord,
  ConnectionTable,
  type RecordStore,
  type TableEvent,
  type Target,
} from './connection-table.ts'
export { Keepers } from './keepers.ts'
export {
  requestQuestion,
  routeQuestion,
  type Served,
  type Standpoint,
  serveQuestion,
  type Wanted,
} from './request-question.ts'
