/** nsmctl, apart from the process that it runs in. */
export { type ConnectOptions, connectMesh } from './connect.ts'
export type { AdminApi, Mesh, NodeApi, Terminal } from './mesh.ts'
export { type CliOptions, runCli } from './program.ts'
