/**
 * The configuration of a node's pod network, as its primary plugin wrote it: of the files in the folder, the runtime takes
 * the first by name. Our plugin comes last in its list, in one of two ways. Pure.
 */
import { isDeepStrictEqual } from 'node:util'

export const PLUGIN = 'nsm-cni'

/** A plugin of a list, as JSON. */
export type Plugin = Readonly<Record<string, unknown>> & { readonly type: string }

export interface NetworkList {
  readonly name: string
  readonly plugins: readonly Plugin[]
  /** Whether the runtime may take further plugins from the folder of the network's name; an older one takes none. */
  readonly isOpen: boolean
}

/** @param run in which folder the plugin finds nsmd */
export function ownEntry(run: string): Plugin {
  return { type: PLUGIN, run, capabilities: { 'io.kubernetes.cri.pod-annotations': true } }
}

/** Undefined for what is no list of plugins. */
export function readList(text: string): NetworkList | undefined {
  const list = parseObject(text)
  if (list === undefined) return undefined
  const { name, plugins, loadOnlyInlinedPlugins } = list
  const isList = typeof name === 'string' && /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name) && Array.isArray(plugins)
  if (!isList || plugins.length === 0 || !plugins.every(isPlugin)) return undefined
  return { name, plugins, isOpen: loadOnlyInlinedPlugins !== true }
}

/** The list with the entry as its last plugin, and everything else as it was. */
export function withEntry(text: string, entry: Plugin): string {
  return change(text, (others) => [...others, entry])
}

/** The list without any entry of ours. */
export function withoutEntry(text: string): string {
  return change(text, (others) => others)
}

export function hasEntry({ plugins }: NetworkList): boolean {
  return plugins.some(isOurs)
}

/** Whether the only entry of ours is this one, and the last plugin. */
export function isInPlace({ plugins }: NetworkList, entry: Plugin): boolean {
  return plugins.findIndex(isOurs) === plugins.length - 1 && isDeepStrictEqual(plugins.at(-1), entry)
}

function change(text: string, edit: (others: readonly Plugin[]) => readonly Plugin[]): string {
  const plugins = readList(text)?.plugins ?? []
  return `${JSON.stringify({ ...parseObject(text), plugins: edit(plugins.filter((each) => !isOurs(each))) }, null, 2)}\n`
}

function isOurs({ type }: Plugin): boolean {
  return type === PLUGIN
}

function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}
