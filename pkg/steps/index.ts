/** The steps that the chains of nodes and endpoints share, in the words of NSM. */
export { connectionFields, contextFields, type FieldRule, ipFields, type Side } from './context-fields.ts'
export { COUNTED_FOR, type CountedFor, countedFor } from './counted-for.ts'
export { type BeginParts, type Begun, begin, expire, isNamesake, type Owned, ownerOf } from './lifetime.ts'
export { type LimitRequestParts, limitAnswer, limitRequest, wantsDefault } from './limit-context.ts'
export {
  type Arrival,
  type Arrived,
  arrive,
  type Incoming,
  leave,
  type PathParts,
  updatePath,
} from './path.ts'
export {
  type PathTokenParts,
  type PathTokens,
  pathTokens,
  updateToken,
  type Verified,
  verifyPath,
} from './path-tokens.ts'
