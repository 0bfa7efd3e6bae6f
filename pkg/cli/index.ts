/** nsmctl, independent of the process in which it runs. */
export type { ConnectOptions } from './connect.ts'
export { lazyMesh } from './lazy-mesh.ts'
export type { AdminApi, Mesh, NodeApi, Terminal } from './mesh.ts'
export { type CliOptions, runCli } from './program.ts'
