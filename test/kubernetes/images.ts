/** The images of the tests, made of Debian's static busybox. */
import { readFileSync, writeFileSync } from 'node:fs'
import { writeImage } from '../../hack/oci/layout.ts'
import type { TarEntry } from '../../hack/oci/tar.ts'
import type { Lab } from '../lab/lab.ts'
import { run } from '../lab/shell.ts'
import { PAUSE_IMAGE } from './node-config.ts'

const BUSYBOX = '/bin/busybox'
/** A shell and its tools. */
export const BOX_IMAGE = 'localhost/box:1'

/** @returns the paths of the images as archives */
export async function testImages(lab: Lab): Promise<readonly string[]> {
  const content = readFileSync(BUSYBOX)
  const busybox: TarEntry = { path: 'bin/busybox', at: 'file', content, mode: 0o755 }
  const names = (await run([BUSYBOX, '--list'])).trimEnd().split('\n')
  const links = names.filter((name) => name !== 'busybox').map((name) => linkTo(name))
  const box = [busybox, ...links, { path: 'tmp', at: 'folder', mode: 0o1777 } as const]
  return [
    save(lab, PAUSE_IMAGE, [busybox], ['/bin/busybox', 'sleep', '2147483647']),
    save(lab, BOX_IMAGE, box, ['/bin/sleep', '2147483647']),
  ]
}

function linkTo(name: string): TarEntry {
  return { path: `bin/${name}`, at: 'link', target: 'busybox' }
}

function save(lab: Lab, name: string, layer: readonly TarEntry[], Cmd: readonly string[]): string {
  const path = `${lab.diskFolder('images')}/${name.replaceAll('/', '-')}.tar`
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
  writeFileSync(path, writeImage({ name, architecture, layers: [layer], config: { Cmd, Env: ['PATH=/bin'] } }))
  return path
}
