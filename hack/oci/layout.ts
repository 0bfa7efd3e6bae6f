/** An OCI image as one file: an archive of an image layout (OCI image specification 1.1), written without a daemon. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { type TarEntry, withFolders, writeTar } from './tar.ts'

export type Architecture = 'amd64' | 'arm64'

export interface ImageSpec {
  /** With its registry and tag. */
  readonly name: string
  readonly architecture: Architecture
  /** Each as files, from the lowest up. */
  readonly layers: readonly (readonly TarEntry[])[]
  /** What a container of it runs by default, and as whom. */
  readonly config: Readonly<Record<string, unknown>>
}

interface Blob {
  readonly mediaType: string
  readonly content: Uint8Array
}

const MEDIA = 'application/vnd.oci.image'
const MOST_COMPRESSED = 9

export function writeImage({ name, architecture, layers, config }: ImageSpec): Uint8Array {
  const archives = layers.map((entries) => writeTar(withFolders(entries)))
  const blobs = archives.map((archive) => blob('layer.v1.tar+gzip', gzipSync(archive, { level: MOST_COMPRESSED })))
  const rootfs = { type: 'layers', diff_ids: archives.map(digestOf) }
  const configBlob = jsonBlob('config.v1+json', { architecture, os: 'linux', config, rootfs })
  const manifest = jsonBlob('manifest.v1+json', {
    schemaVersion: 2,
    mediaType: `${MEDIA}.manifest.v1+json`,
    config: descriptorOf(configBlob),
    layers: blobs.map(descriptorOf),
  })
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': tagOf(name) }
  const platform = { architecture, os: 'linux' }
  const index = jsonBlob('index.v1+json', {
    schemaVersion: 2,
    mediaType: `${MEDIA}.index.v1+json`,
    manifests: [{ ...descriptorOf(manifest), platform, annotations }],
  })
  return layoutOf(index, [configBlob, manifest, ...blobs])
}

/** Without what leads to the image in the registry of whoever has loaded it, an archive is as big as what is pulled. */
function layoutOf(index: Blob, blobs: readonly Blob[]): Uint8Array {
  const file = (path: string, content: Uint8Array): TarEntry => ({ path, at: 'file', content })
  return writeTar(
    withFolders([
      file('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
      file('index.json', index.content),
      ...blobs.map(({ content }) => file(`blobs/${digestOf(content).replace(':', '/')}`, content)),
    ]),
  )
}

function blob(kind: string, content: Uint8Array): Blob {
  return { mediaType: `${MEDIA}.${kind}`, content }
}

function jsonBlob(kind: string, value: unknown): Blob {
  return blob(kind, Buffer.from(JSON.stringify(value)))
}

function descriptorOf({ mediaType, content }: Blob) {
  return { mediaType, digest: digestOf(content), size: content.length }
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

function tagOf(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1)
}
