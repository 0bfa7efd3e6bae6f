/** For the tests of other folders: an API server that answers from a script. */
export { gone, ScriptedSource } from './scripted-source.ts'
