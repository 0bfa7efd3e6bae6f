/**
 * The house rules as a program: which folder may import which, who may touch the outside world, how long a file may
 * be. Prints each breach as file:line and what to do; exits 1 when there is one.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { COMPOSITION_RULES } from './lint/composition.ts'

const LAYERS: readonly (readonly string[])[] = [
  ['base'],
  ['net', 'api', 'config', 'telemetry'],
  ['netlink', 'tunnel', 'ipam', 'identity', 'policy', 'store'],
  ['platform', 'dataplane', 'rpc', 'reconcile', 'connections', 'steps'],
  ['registry', 'directory', 'request', 'forwarding', 'monitor', 'federation', 'client', 'endpoint', 'uapi', 'node'],
  ['daemon', 'cli'],
]
const MOST_LINES = 400

interface OutsideRule {
  readonly what: string
  readonly pattern: RegExp
  /** Path prefixes that may. */
  readonly allowed: readonly string[]
}

const OUTSIDE: readonly OutsideRule[] = [
  { what: 'process.env', pattern: /\bprocess\.env\b/, allowed: ['pkg/config/'] },
  {
    what: 'timers and Date (use base/clock)',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bset(Timeout|Interval)\(/,
    allowed: ['pkg/base/clock.ts'],
  },
  {
    what: 'the file system',
    pattern: /from 'node:fs/,
    allowed: ['pkg/store/', 'pkg/identity/', 'pkg/config/', 'pkg/rpc/listen.ts', 'pkg/uapi/'],
  },
  { what: 'gRPC', pattern: /from '@grpc\//, allowed: ['pkg/rpc/', 'pkg/api/gen/'] },
  { what: 'TLS', pattern: /from 'node:tls'/, allowed: ['pkg/rpc/', 'pkg/federation/'] },
  { what: 'sockets', pattern: /import \{(?! isIP).*from 'node:net'/, allowed: ['pkg/rpc/', 'pkg/dataplane/'] },
  { what: 'SQLite', pattern: /from 'node:sqlite'/, allowed: ['pkg/store/'] },
  { what: 'other programs', pattern: /from 'node:child_process'/, allowed: [] },
  { what: 'vitest', pattern: /from 'vitest'/, allowed: [] },
  { what: 'fakes and fixtures', pattern: /(?:from|import) '\.[^']*\/testing\//, allowed: [] },
]

const breaches: string[] = []

for (const file of globSync('{pkg,cmd,hack,test}/**/*.ts').sort()) {
  if (file.includes('/gen/') || file.includes('node_modules') || file.includes('/build')) continue
  const lines = readFileSync(file, 'utf8').split('\n')
  if (lines.length > MOST_LINES) report(file, 1, `${lines.length} lines; split it (at most ${MOST_LINES})`)
  for (const { line, sentence } of COMPOSITION_RULES.flatMap((rule) => rule({ path: file, lines }))) {
    report(file, line, sentence)
  }
  const isTest = isOfTests(file)
  for (const [index, line] of lines.entries()) {
    if (!isTest) checkOutside(file, index + 1, line)
    if (!file.startsWith('hack/')) checkImport(file, index + 1, line)
  }
}

for (const file of globSync('pkg/dataplane/native/**/*.{h,cc}')) {
  if (file.includes('/build')) continue
  const count = readFileSync(file, 'utf8').split('\n').length
  if (count > MOST_LINES) report(file, 1, `${count} lines; split it (at most ${MOST_LINES})`)
}

for (const breach of breaches) console.error(breach)
process.exit(breaches.length === 0 ? 0 : 1)

function report(file: string, line: number, sentence: string): void {
  breaches.push(`${file}:${line}: ${sentence}`)
}

function checkOutside(file: string, line: number, text: string): void {
  for (const { what, pattern, allowed } of OUTSIDE) {
    if (!file.startsWith('pkg/') || !pattern.test(text) || allowed.some((prefix) => file.startsWith(prefix))) continue
    report(file, line, `touches ${what}; only ${allowed.join(', ') || 'nobody'} may`)
  }
}

function checkImport(file: string, line: number, text: string): void {
  const target = /(?:from|import) '(\.[^']+)'/.exec(text)?.[1]
  if (target === undefined) return
  const from = folderOf(file)
  const path = normalize(join(dirname(file), target))
  const to = folderOf(path)
  if (to === undefined || from === to) return
  const isTest = isOfTests(file)
  const isDoor = path === `pkg/${to}/index.ts` || (isTest && path === `pkg/${to}/testing/index.ts`)
  if (!isDoor && !file.includes('.test.ts') && !file.startsWith('test/')) {
    report(file, line, `reaches into pkg/${to}; import its index.ts`)
  }
  if (from === undefined || file.endsWith('.test.ts')) return
  if (layerOf(to) >= layerOf(from)) {
    report(file, line, `pkg/${from} (layer ${layerOf(from)}) may not import pkg/${to} (layer ${layerOf(to)})`)
  }
}

/** Tests, and what only they use: fakes, fixtures, conformance suites. */
function isOfTests(file: string): boolean {
  return /\.test\.ts$|^test\/|^hack\/|\/testing\//.test(file)
}

function folderOf(path: string): string | undefined {
  const [top, folder] = path.split('/')
  return top === 'pkg' ? folder : undefined
}

function layerOf(folder: string): number {
  const layer = LAYERS.findIndex((names) => names.includes(folder))
  if (layer < 0) throw new Error(`pkg/${folder} has no layer; add it to hack/lint-layers.ts`)
  return layer
}
