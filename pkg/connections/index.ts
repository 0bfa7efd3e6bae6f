/** The connections of a node, as they stand: in memory for everybody who reads, on disk for the next start. */
export { connectionRecords, connectionsSchema } from './connection-records.ts'
export {
  type ConnectionRecord,
  ConnectionTable,
  callerKey,
  type RecordStore,
  type TableEvent,
  type Target,
} from './connection-table.ts'
export { requestQuestion, type Served, type Standpoint, serveQuestion, type Wanted } from './request-question.ts'
