/** The steps that the chains of nodes and endpoints share, in the words of NSM. */
export { type BeginParts, type Begun, begin, type Owned } from './begin.ts'
export { expire } from './expire.ts'
export {
  type PathTokenParts,
  type PathTokens,
  pathTokens,
  type Signed,
  updateToken,
  type Verified,
  verifyPath,
} from './path-tokens.ts'
export { type Arrived, type Incoming, type PathParts, updatePath } from './update-path.ts'
