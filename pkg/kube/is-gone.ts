import { NsmError } from '../base/index.ts'
import type { KubeClient } from './client.ts'
import { ForbiddenError, NotFoundError } from './errors.ts'
import type { KubeObject, ObjectKey, Resource } from './objects.ts'

export interface GoneQuestion {
  readonly client: Pick<KubeClient, 'get'>
  readonly resource: Resource<KubeObject>
  readonly key: ObjectKey
}

const UNAUTHORIZED = 401

/**
 * Whether an object that belongs to an installation is gone, or is going: also where the account that asks is gone with it.
 * While the API server is away, nothing is gone.
 */
export async function isGone({ client, resource, key }: GoneQuestion): Promise<boolean> {
  try {
    const { metadata } = await client.get(resource, key)
    return metadata.deletionTimestamp !== undefined
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof ForbiddenError) return true
    return error instanceof NsmError && error.fields['status'] === UNAUTHORIZED
  }
}
