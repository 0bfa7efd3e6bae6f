/** For tests: the folders of a node. */
export { NodeFolders, PRIMARY } from './node-folders.ts'
