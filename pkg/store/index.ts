/** Durable state of a process: one SQLite file with one owner, where every change is on disk before it is answered. */
export { ChangeLog, cannotResume } from './change-log.ts'
export type { Columns } from './columns.ts'
export { type Command, type Database, type DatabaseOptions, openDatabase, type Query, type Value } from './database.ts'
export { type JsonTable, jsonTable } from './json-table.ts'
export { makePrivateDirectory } from './private-directory.ts'
export { WatchQueue } from './watch-queue.ts'
