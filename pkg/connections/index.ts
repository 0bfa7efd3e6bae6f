/** The connections of a node, as they stand: in memory for everybody who reads, on disk for the next start. */
export { CallerIds, callerKey } from './caller-ids.ts'
export { connectionRecords, connectionsSchema, ownerNamespaces } from './connection-records.ts'
export {
  type ConnectionRecord,
  ConnectionTable,
  FAR_END_DOWN,
  faultOf,
  type RecordStore,
  type TableEvent,
  type Target,
  type Witness,
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
export { type WantedWire, WantedWires } from './wanted-wires.ts'
