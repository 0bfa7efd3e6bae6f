/** Durable state of a process: one SQLite file, one owner, every change on disk before it is answered. */
export type { Columns } from './columns.ts'
export { type Command, type Database, type DatabaseOptions, openDatabase, type Query, type Value } from './database.ts'
export { type JsonTable, jsonTable } from './json-table.ts'
export { makePrivateDirectory } from './private-directory.ts'
export { WatchQueue } from './watch-queue.ts'
