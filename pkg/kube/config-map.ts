/** A text that everybody in a namespace may know, in a ConfigMap. */
import type { KubeClient } from './client.ts'
import { unlessOutdated } from './errors.ts'
import type { KubeObject, Resource } from './objects.ts'

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

const configMaps: Resource<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  isNamespaced: true,
}

export interface PublishedTextOptions {
  readonly client: KubeClient
  readonly namespace: string
  /** Of the ConfigMap. */
  readonly name: string
  readonly key: string
}

/** Undefined before it was published. */
export async function readPublished(options: PublishedTextOptions): Promise<string | undefined> {
  const { client, namespace, name, key } = options
  const { data } = (await unlessOutdated(client.get(configMaps, { namespace, name }))) ?? {}
  return data?.[key]
}

/** Writes nothing where it is published already. */
export async function publish(options: PublishedTextOptions, text: string): Promise<void> {
  const { client, namespace, name, key } = options
  if ((await readPublished(options)) === text) return
  const metadata = { namespace, name }
  const data = { [key]: text }
  const made = await unlessOutdated(client.create(configMaps, { metadata, data }))
  if (made === undefined) await client.patch(configMaps, metadata, { type: 'merge', body: { data } })
}
