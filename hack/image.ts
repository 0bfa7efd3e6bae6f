/** The image of the project: node and the libraries as one layer, which seldom changes, our programs as the other. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { VERSION } from '../pkg/base/index.ts'
import { BUILD, ROOT } from '../test/lab/programs.ts'
import { bundle } from './oci/bundle.ts'
import { writeImage } from './oci/layout.ts'
import { nativeFiles, program } from './oci/native.ts'
import { renderSbom } from './oci/sbom.ts'
import type { TarEntry } from './oci/tar.ts'

/** Nobody's uid on the machines where it runs; the manifests give each container its own. */
const USER = '65532:65532'

const { values } = parseArgs({ options: { name: { type: 'string' }, folder: { type: 'string' } } })
const { name = `localhost/nsmesh:${VERSION}`, folder = `${ROOT}/build/image` } = values

const text = (path: string, content: string): TarEntry => ({ path, at: 'file', content: Buffer.from(content) })
const node = program(process.execPath, 'usr/bin/node')
const dataplane = program(`${BUILD}/nsm-dataplane`, 'usr/bin/nsm-dataplane')
/** It needs no library, so that every node can run it. */
const plugin = program(`${BUILD}/cni/nsm-cni`, 'usr/bin/nsm-cni')
const native = nativeFiles([node, dataplane])
const programs = await bundle()
const sbom = renderSbom([
  { kind: 'generic', name: 'node', version: process.versions.node, license: 'MIT' },
  ...native.packages,
  ...programs.packages,
])

const image = writeImage({
  name,
  architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
  layers: [
    [
      node.entry,
      ...native.libraries,
      text('etc/passwd', 'root:x:0:0::/:/\nnsmesh:x:65532:65532::/:/\n'),
      text('etc/group', 'root:x:0:\nnsmesh:x:65532:\n'),
      { path: 'tmp', at: 'folder', mode: 0o1777 },
    ],
    [dataplane.entry, plugin.entry, ...programs.entries, text('usr/share/doc/nsmesh/sbom.spdx.json', sbom)],
  ],
  config: { User: USER, Env: ['PATH=/usr/bin'], WorkingDir: '/', Cmd: ['nsmctl', '--help'] },
})
mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}/nsmesh.tar`, image)
writeFileSync(`${folder}/nsmesh.spdx.json`, sbom)
console.log(`${folder}/nsmesh.tar: ${name}, ${(image.length / 1e6).toFixed(1)} MB`)
