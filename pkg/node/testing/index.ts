/** For the tests of this folder. */
export { connectionTable, testRecord } from './records.ts'
