/** The folders of a node in which its runtime finds CNI configuration and plugins, and a plugin to be put there. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { Chain } from '../chain.ts'

export const PRIMARY = { cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'bridge', mtu: 1450 }] }
const PLUGIN = '#!/bin/sh\necho \'{"cniVersion":"1.1.0","supportedVersions":["0.3.1","0.4.0","1.0.0","1.1.0"]}\'\n'

export class NodeFolders {
  readonly root = mkdtempSync(join(tmpdir(), 'nsm-cni-'))
  readonly chain = this.anotherChain()

  constructor(primary: object | undefined = PRIMARY) {
    onTestFinished(() => rmSync(this.root, { recursive: true }))
    for (const folder of ['conf', 'bin', 'run/slipped']) mkdirSync(this.path(folder), { recursive: true })
    this.ship(PLUGIN)
    if (primary !== undefined) this.write('conf/10-primary.conflist', JSON.stringify(primary))
  }

  /** As the next run of nsm-gate has it. */
  anotherChain(): Chain {
    return new Chain({
      confFolder: this.path('conf'),
      binFolder: this.path('bin'),
      plugin: this.path('shipped'),
      runFolder: this.path('run'),
    })
  }

  path(path: string): string {
    return join(this.root, path)
  }

  ship(plugin: string): void {
    this.write('shipped', plugin)
    chmodSync(this.path('shipped'), 0o755)
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true })
    writeFileSync(this.path(path), text)
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8')
  }

  has(path: string): boolean {
    return existsSync(this.path(path))
  }

  /** All files of the folder, those in it too. */
  files(folder: string): readonly string[] {
    const entries = readdirSync(this.path(folder), { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile())
    return files.map(({ parentPath, name }) => join(parentPath, name).slice(this.path(folder).length + 1)).sort()
  }

  /** The plugins that a runtime would call, and by which entry ours is. */
  get called(): readonly string[] {
    const { name, plugins } = JSON.parse(this.read('conf/10-primary.conflist'))
    const beside = this.has(`conf/${name}`) ? this.files(`conf/${name}`) : []
    const more = beside.map((file) => JSON.parse(this.read(`conf/${name}/${file}`)))
    return [...plugins, ...more].map(({ type }) => type)
  }
}
