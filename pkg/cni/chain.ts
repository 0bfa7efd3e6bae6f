/**
 * Our place in the chain of CNI plugins of a node: nsm-cni as the last plugin of the pod network. The primary plugin owns
 * the list, and writes it anew when it likes. So the entry goes where newer runtimes look beside the list, which nobody
 * rewrites; where that does not count, it goes into the list.
 *
 *     <conf>/10-primary.conflist        {"name": "pods", "plugins": [...]}
 *     <conf>/pods/50-nsm.conf           our entry, beside the list
 *     <bin>/nsm-cni                     there before the entry is, and longer
 *
 * INVARIANT: a reader of any of these files finds a whole one, the former or the new.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { NsmError } from '../base/index.ts'
import {
  hasEntry,
  isInPlace,
  type NetworkList,
  ownEntry,
  type Plugin,
  readList,
  withEntry,
  withoutEntry,
} from './network-list.ts'
import { putPlugin, removePlugin } from './plugin-file.ts'
import { listIfThere, modeOf, readIfThere, replaceFile } from './replace-file.ts'

export interface ChainOptions {
  /** The folders of the node's runtime. */
  readonly confFolder: string
  readonly binFolder: string
  /** The plugin as it is shipped. */
  readonly plugin: string
  /** In which the plugin finds nsmd. */
  readonly runFolder: string
}

export type Placement = 'beside the list' | 'in the list'

const ENTRY_FILE = '50-nsm.conf'
const ENTRY_MODE = 0o644
/** Of the run folder: has the names of pods that started without a call of nsm-cni, though the entry was beside the list. */
const SLIPPED_FOLDER = 'slipped'
/** Likewise: written when something was missing, so that its time says since when pods come through. */
const STANDS_FILE = 'stands'
/** Likewise: names the run of nsm-gate that keeps the chain. The next pod empties it before it uses the folder. */
const KEEPER_FILE = 'keeper'

interface Primary {
  readonly path: string
  readonly text: string
  readonly list: NetworkList
}

export class Chain {
  readonly #options: ChainOptions
  readonly #entry: Plugin
  readonly #run = randomUUID()

  constructor(options: ChainOptions) {
    this.#options = options
    this.#entry = ownEntry(options.runFolder)
  }

  /** From now on it is this run that keeps the chain: an earlier one that still ends leaves it alone. */
  takeOver(): void {
    writeFileSync(this.#keeperFile, this.#run)
  }

  /** Whether another run has followed this one, or is about to. */
  get isTakenOver(): boolean {
    const keeper = readIfThere(this.#keeperFile)?.toString()
    return keeper !== undefined && keeper !== this.#run
  }

  get #keeperFile(): string {
    return join(this.#options.runFolder, KEEPER_FILE)
  }

  /** Folders whose changes may make {@link put} necessary, of those that are there. */
  get folders(): readonly string[] {
    const { confFolder, binFolder, runFolder } = this.#options
    const above = [confFolder, binFolder].map(dirname) // they may be replaced as a whole
    const slipped = join(runFolder, SLIPPED_FOLDER)
    return [confFolder, binFolder, slipped, ...above, ...this.#ownFolders()].filter(existsSync)
  }

  /**
   * Puts plugin and entry where they belong.
   * @returns whether anything was missing
   * @throws {NsmError} `unavailable` while the node has no pod network
   */
  put(): boolean {
    const { plugin: source, binFolder: folder } = this.#options
    const wasMissing = putPlugin({ source, folder })
    const primary = this.#primary()
    const isBeside = this.placement(primary.list) === 'beside the list'
    const isMoved = isBeside ? this.#putBeside(primary) : this.#putInto(primary)
    if (isMoved || wasMissing) writeFileSync(join(this.#options.runFolder, STANDS_FILE), '')
    return isMoved || wasMissing
  }

  placement({ isOpen } = this.#primary().list): Placement {
    const hasSlipped = listIfThere(join(this.#options.runFolder, SLIPPED_FOLDER)).length > 0
    return isOpen && !hasSlipped ? 'beside the list' : 'in the list'
  }

  /** Once it has returned, no new call comes, and those that run may need the plugin still. */
  removeEntry(): void {
    this.#removeBeside()
    for (const { path, text, list } of this.#lists()) if (hasEntry(list)) this.#write(path, text, withoutEntry(text))
  }

  removePlugin(): void {
    removePlugin({ folder: this.#options.binFolder })
  }

  /** What nsm-cni would ask or read: only where nsmesh leaves the node. */
  removeRun(): void {
    if (this.isTakenOver) return
    const { runFolder } = this.#options
    for (const name of listIfThere(runFolder)) rmSync(join(runFolder, name), { recursive: true })
  }

  #putBeside({ path, text, list }: Primary): boolean {
    const folder = join(this.#options.confFolder, list.name)
    const file = join(folder, ENTRY_FILE)
    const content = Buffer.from(`${JSON.stringify(this.#entry)}\n`)
    const isMissing = readIfThere(file)?.equals(content) !== true
    if (isMissing) {
      mkdirSync(folder, { recursive: true })
      replaceFile(file, { content, mode: ENTRY_MODE })
      this.#reload()
    }
    this.#removeBeside(folder)
    if (hasEntry(list)) this.#write(path, text, withoutEntry(text))
    return isMissing
  }

  #putInto({ path, text, list }: Primary): boolean {
    const isMissing = !isInPlace(list, this.#entry)
    if (isMissing) this.#write(path, text, withEntry(text, this.#entry))
    this.#removeBeside()
    return isMissing
  }

  /** @param except a folder in which the entry stays */
  #removeBeside(except?: string): void {
    const former = this.#ownFolders().filter((folder) => folder !== except)
    for (const folder of former) {
      rmSync(join(folder, ENTRY_FILE), { force: true })
      if (readdirSync(folder).length === 0) rmdirSync(folder)
    }
    if (former.length > 0) this.#reload()
  }

  /** Those that have an entry of ours. */
  #ownFolders(): readonly string[] {
    const { confFolder } = this.#options
    return listIfThere(confFolder)
      .map((name) => join(confFolder, name))
      .filter((folder) => existsSync(join(folder, ENTRY_FILE)))
  }

  /** Replaces a list unless its owner has written it meanwhile: then that write is seen, and we are asked again. */
  #write(path: string, before: string, after: string): void {
    const check = (written: string) => {
      const list = readList(readIfThere(written)?.toString() ?? '')
      if (list === undefined) throw new NsmError('internal', 'Cannot change the list of CNI plugins: it would be none')
      if (readIfThere(path)?.toString() === before) return
      throw new NsmError('unavailable', 'Cannot change the list of CNI plugins: its owner is writing it')
    }
    replaceFile(path, { content: Buffer.from(after), mode: modeOf(path) & 0o777, check })
  }

  /** The runtime does not watch folders in its folder, but reads all of it when a file of that goes. */
  #reload(): void {
    const file = join(this.#options.confFolder, '.nsm-reload')
    writeFileSync(file, '')
    rmSync(file)
  }

  #primary(): Primary {
    const first = this.#files()[0]
    const primary = this.#lists()[0]
    if (primary !== undefined && primary.path === first) return primary
    const why = first === undefined ? 'the node has none yet' : 'it is no list of plugins'
    throw new NsmError('unavailable', `Cannot find the configuration of the pod network: ${why}`, {
      fields: { folder: this.#options.confFolder, file: first },
      next: 'install a CNI plugin that writes a .conflist, or set NSM_CNI_CONF_DIR to the folder in which it does',
    })
  }

  #lists(): readonly Primary[] {
    return this.#files().flatMap((path) => {
      const text = readIfThere(path)?.toString() ?? ''
      const list = readList(text)
      return list === undefined ? [] : [{ path, text, list }]
    })
  }

  /** In the runtime's order. */
  #files(): readonly string[] {
    const { confFolder } = this.#options
    const names = listIfThere(confFolder).filter((name) => /\.(conf|conflist|json)$/.test(name))
    return names.sort().map((name) => join(confFolder, name))
  }
}
