/** The rules of the house; hack/lint-layers runs them all. */
import { dirname, join, normalize } from 'node:path'
import { COMPOSITION_RULES } from './composition.ts'
import { LAYERS, MOST_LINES, OUTSIDE } from './layers.ts'
import type { Breach, Rule, SourceFile } from './rule.ts'

export function fileSize({ lines }: SourceFile): readonly Breach[] {
  if (lines.length <= MOST_LINES) return []
  return [{ line: 1, sentence: `${lines.length} lines; split it (at most ${MOST_LINES})` }]
}

/** Only named folders touch the environment, timers, files, sockets and the like. */
export function outsideWorld(file: SourceFile, rules = OUTSIDE): readonly Breach[] {
  if (!isProduct(file)) return []
  return eachLine(file, (text) =>
    rules
      .filter(({ pattern, allowed }) => pattern.test(text) && !allowed.some((prefix) => file.path.startsWith(prefix)))
      .map(({ what, allowed }) => `touches ${what}; only ${allowed.join(', ') || 'nobody'} may`),
  )
}

/** Fakes, fixtures and the test runner are not loaded by what is shipped. */
export function testSupport(file: SourceFile): readonly Breach[] {
  if (!isProduct(file)) return []
  return eachLine(file, (text) =>
    /(?:from|import) '(?:vitest'|\.[^']*\/testing\/)/.test(text) ? ['imports what only tests may'] : [],
  )
}

/** A folder of pkg/ is entered through its index.ts, by tests also through its testing/index.ts. */
export function doors(file: SourceFile): readonly Breach[] {
  if (isIn(file, 'hack/', 'test/') || isTest(file)) return []
  return eachImport(file, ({ from, to, path }) => {
    if (to === undefined || from === to || path === `pkg/${to}/index.ts`) return []
    if (isTestSupport(file) && path === `pkg/${to}/testing/index.ts`) return []
    return [`reaches into pkg/${to}; import its index.ts`]
  })
}

/** A folder of pkg/ imports from lower layers alone. */
export function layers(file: SourceFile, table = LAYERS): readonly Breach[] {
  if (isTest(file)) return []
  const layerOf = (folder: string) => table.findIndex((names) => names.includes(folder))
  return eachImport(file, ({ from, to }) => {
    if (from === undefined || to === undefined || from === to) return []
    const unknown = [from, to].filter((folder) => layerOf(folder) < 0)
    if (unknown.length > 0) return [`pkg/${unknown.join(', pkg/')} has no layer; add it to hack/lint/layers.ts`]
    if (layerOf(to) < layerOf(from)) return []
    return [`pkg/${from} (layer ${layerOf(from)}) may not import pkg/${to} (layer ${layerOf(to)})`]
  })
}

export const RULES: readonly Rule[] = [
  fileSize,
  (file) => outsideWorld(file),
  testSupport,
  doors,
  (file) => layers(file),
  ...COMPOSITION_RULES,
]

interface Import {
  /** Folders of pkg/; undefined outside of it. */
  readonly from: string | undefined
  readonly to: string | undefined
  readonly path: string
}

function eachImport(file: SourceFile, check: (found: Import) => readonly string[]): readonly Breach[] {
  return eachLine(file, (text) => {
    const target = /(?:from|import) '(\.[^']+)'/.exec(text)?.[1]
    if (target === undefined) return []
    const path = normalize(join(dirname(file.path), target))
    return check({ from: folderOf(file.path), to: folderOf(path), path })
  })
}

function eachLine({ lines }: SourceFile, check: (text: string) => readonly string[]): readonly Breach[] {
  return lines.flatMap((text, index) => check(text).map((sentence) => ({ line: index + 1, sentence })))
}

function folderOf(path: string): string | undefined {
  const [top, folder] = path.split('/')
  return top === 'pkg' ? folder : undefined
}

/** What is shipped: no test, and nothing that only tests use. */
function isProduct(file: SourceFile): boolean {
  return isIn(file, 'pkg/') && !isTest(file) && !isTestSupport(file)
}

function isTest({ path }: SourceFile): boolean {
  return path.endsWith('.test.ts')
}

function isTestSupport({ path }: SourceFile): boolean {
  return path.includes('/testing/')
}

function isIn({ path }: SourceFile, ...folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(folder))
}
