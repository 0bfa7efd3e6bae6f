export { type Arrival, arrive, changeSegment, leave } from '../api/index.ts'
