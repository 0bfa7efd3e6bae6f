/** A secret text in a Secret of Kubernetes, which several programs may open at once. */
import type { Clock } from '../base/index.ts'
import { NsmError } from '../base/index.ts'
import type { KeptSecret, SecretPlace } from '../identity/index.ts'
import type { KubeClient } from './client.ts'
import { unlessOutdated } from './errors.ts'
import type { KubeObject, Resource } from './objects.ts'

/** Another program that starts at the same time may have made it a moment ago. */
const NEW_MS = 60_000
const KEY = 'secret'

interface SecretObject extends KubeObject {
  /** By key, in base64. */
  readonly data?: Readonly<Record<string, string>>
  /** The API server lets nobody change it, except by removing it. */
  readonly immutable?: boolean
}

const secretResource: Resource<SecretObject> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  isNamespaced: true,
}

export interface KubeSecretOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly name: string
  readonly clock: Clock
}

export function kubeSecret({ client, namespace, name, clock }: KubeSecretOptions): SecretPlace {
  const metadata = { namespace, name }
  const read = async (): Promise<KeptSecret | undefined> => {
    const secret = await unlessOutdated(client.get(secretResource, metadata))
    if (secret === undefined) return undefined
    const madeMs = Date.parse(secret.metadata.creationTimestamp ?? '')
    return { text: textOf(secret), isNew: clock.nowMs() - madeMs < NEW_MS }
  }
  return {
    name: `secret ${namespace}/${name}`,
    async open(make) {
      const kept = await read()
      if (kept !== undefined) return kept
      const text = await make()
      const data = { [KEY]: Buffer.from(text).toString('base64') }
      const made = await unlessOutdated(client.create(secretResource, { metadata, data, immutable: true }))
      return made === undefined ? ((await read()) ?? gone(metadata)) : { text, isNew: true }
    },
  }
}

function textOf({ metadata, data = {} }: SecretObject): string {
  const { [KEY]: encoded } = data
  return encoded === undefined ? gone(metadata) : Buffer.from(encoded, 'base64').toString('utf8')
}

function gone({ namespace, name }: KubeObject['metadata']): never {
  throw new NsmError('failed_precondition', 'Cannot read the Secret: it is empty, or was removed just now', {
    fields: { namespace, name },
    next: 'restore it from a backup, or remove it: then every identity of the domain is made anew',
  })
}
