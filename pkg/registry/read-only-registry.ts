import type { RegistryServer } from '../api/index.ts'
import { NsmError } from '../base/index.ts'

/** A registry in which everybody may look, as `spiffeId` sees it, and nobody may register. */
export function readOnlyRegistry<T, Q>(registry: RegistryServer<T, Q>, spiffeId: string): RegistryServer<T, Q> {
  return {
    find: (query, call) => registry.find(query, { ...call, peer: { ...call.peer, spiffeId } }),
    register: refuse,
    unregister: refuse,
  }
}

async function refuse(): Promise<never> {
  throw new NsmError('permission_denied', 'Cannot change the registry: the admin socket only reads it', {
    next: 'services and endpoints register through nsmd',
  })
}
