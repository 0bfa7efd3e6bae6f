import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { NsmError } from '../base/index.ts'
import { PLUGIN } from './network-list.ts'
import { modeOf, readIfThere, replaceFile } from './replace-file.ts'

const RUN_MS = 5_000
const MODE = 0o755
const PERMISSIONS = 0o777

export interface PluginFileOptions {
  /** The program, as it is shipped. */
  readonly source: string
  /** The folder in which the runtime looks for plugins. */
  readonly folder: string
}

/** Puts the plugin where the runtime looks, unless it is there. @returns whether it was missing, or other than ours */
export function putPlugin({ source, folder }: PluginFileOptions): boolean {
  const path = join(folder, PLUGIN)
  const content = readFileSync(source)
  if (readIfThere(path)?.equals(content) === true && (modeOf(path) & PERMISSIONS) === MODE) return false
  replaceFile(path, { content, mode: MODE, check: tryPlugin })
  return true
}

export function removePlugin({ folder }: Pick<PluginFileOptions, 'folder'>): void {
  if (existsSync(folder)) rmSync(join(folder, PLUGIN), { force: true })
}

/** On this node, in this folder, as the runtime runs it. */
function tryPlugin(path: string): void {
  const env = { CNI_COMMAND: 'VERSION' }
  try {
    const answer = execFileSync(path, { env, timeout: RUN_MS, stdio: ['ignore', 'pipe', 'ignore'] })
    const { supportedVersions } = JSON.parse(answer.toString())
    if (Array.isArray(supportedVersions)) return
  } catch (cause) {
    throw new NsmError('failed_precondition', 'Cannot use nsm-cni: it does not run on this node', { cause })
  }
  throw new NsmError('failed_precondition', 'Cannot use nsm-cni: it does not say which versions of CNI it knows')
}
