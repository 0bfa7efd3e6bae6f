/** The identity of a node that an attacker has, from its state directory. */
import { type IdentitySource, identityFile, staticSource } from '../../pkg/identity/index.ts'
import type { SandboxNode } from '../sandbox/sandbox.ts'

export async function identityOf({ directory }: SandboxNode): Promise<IdentitySource> {
  const identity = await identityFile(`${directory}/state/identity`).load()
  if (identity === undefined) throw new Error('the node has no identity')
  return staticSource(identity)
}
