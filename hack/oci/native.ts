/** Programs of machine code, and the shared libraries of this system that they need. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Package } from './sbom.ts'
import type { TarEntry } from './tar.ts'

export interface Program {
  /** Where it lies here. */
  readonly source: string
  readonly entry: TarEntry
}

export function program(source: string, path: string): Program {
  return { source, entry: { path, at: 'file', content: stripped(source), mode: 0o755 } }
}

interface NativeFiles {
  readonly libraries: readonly TarEntry[]
  /** Debian's, of which the libraries are. */
  readonly packages: readonly Package[]
}

export function nativeFiles(programs: readonly Program[]): NativeFiles {
  const paths = [...new Set(programs.flatMap(({ source }) => librariesOf(source)))].sort()
  const libraries = paths.map(
    (path): TarEntry => ({ path: path.slice(1), at: 'file', content: readFileSync(path), mode: 0o755 }),
  )
  return { libraries, packages: [...new Set(paths.map(debianPackage))].sort().map(describe) }
}

/** The loader's word: the paths at which it looks for them. */
function librariesOf(source: string): readonly string[] {
  const lines = print('ldd', source).split('\n')
  return lines.flatMap((line) => /(?:=> |^\s)(\/\S+) \(/.exec(line)?.[1] ?? [])
}

/** Symbols for debuggers make the greater part of some programs. */
function stripped(source: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'nsmesh-image-'))
  try {
    execFileSync('strip', ['-o', `${folder}/program`, source])
    return readFileSync(`${folder}/program`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** dpkg knows a file by the path with which it was packed, with or without /usr. */
function debianPackage(path: string): string {
  const real = realpathSync(path)
  const known = [real, real.replace(/^\/usr\//, '/'), path].flatMap((each) => owner(each) ?? [])
  if (known[0] === undefined) throw new Error(`no Debian package has ${path}`)
  return known[0]
}

function owner(path: string): string | undefined {
  try {
    return print('dpkg-query', '--search', path).split(': ')[0]
  } catch {
    return undefined
  }
}

function describe(name: string): Package {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is dpkg's
  const version = print('dpkg-query', '--show', '--showformat', '${Version}', name)
  return { kind: 'deb', name: name.replace(/:.*/, ''), version }
}

function print(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}
