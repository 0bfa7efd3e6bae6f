/** The mesh, connected to when a command first asks for it: `--help` does not pay for gRPC and certificates. */
import type { ConnectOptions } from './connect.ts'
import type { Mesh } from './mesh.ts'

export function lazyMesh(options: ConnectOptions): Mesh {
  let connected: Promise<Mesh> | undefined
  const mesh = (): Promise<Mesh> => {
    connected ??= import('./connect.ts').then(({ connectMesh }) => connectMesh(options))
    return connected
  }
  return {
    node: async () => (await mesh()).node(),
    admin: async () => (await mesh()).admin(),
    close: async () => (await connected)?.close(),
  }
}
