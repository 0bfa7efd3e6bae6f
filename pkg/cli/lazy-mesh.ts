/** Connects to the mesh on first use, so that `nsmctl --help` does not have to load gRPC and certificates. */
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
