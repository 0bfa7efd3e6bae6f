/** The project's TypeScript programs as they run in the image: a few files without a folder of packages. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { rolldown } from 'rolldown'
import { ROOT } from '../../test/lab/programs.ts'
import type { Package } from './sbom.ts'
import type { TarEntry } from './tar.ts'

const FOLDER = 'usr/lib/nsmesh'
/** As from a checkout: V8 would let the young generation of a busy daemon grow to hundreds of megabytes. */
const HASHBANG = '#!/usr/bin/node --max-semi-space-size=4\n'

interface Bundle {
  readonly entries: readonly TarEntry[]
  /** What is in it of others. */
  readonly packages: readonly Package[]
}

export async function bundle(): Promise<Bundle> {
  const names = readdirSync(`${ROOT}/cmd`)
  const input = Object.fromEntries(names.map((name) => [name, `${ROOT}/cmd/${name}/main.ts`]))
  // Where the packages of this checkout really lie must not show.
  const resolve = { symlinks: false }
  const bundler = await rolldown({ input, cwd: ROOT, platform: 'node', logLevel: 'warn', resolve })
  const { output } = await bundler.generate({ format: 'esm', chunkFileNames: 'part-[hash].js' })
  await bundler.close()
  const chunks = output.filter((part) => part.type === 'chunk')
  const files = chunks.map(({ fileName, code, isEntry }): TarEntry => {
    const content = Buffer.from(isEntry ? HASHBANG + code.replace(/^#!.*\n/, '') : code)
    return { path: `${FOLDER}/${fileName}`, at: 'file', content, mode: isEntry ? 0o755 : 0o644 }
  })
  const links = names.map(
    (name): TarEntry => ({ path: `usr/bin/${name}`, at: 'link', target: `../lib/nsmesh/${name}.js` }),
  )
  const type: TarEntry = { path: `${FOLDER}/package.json`, at: 'file', content: Buffer.from('{"type":"module"}\n') }
  return { entries: [...files, type, ...links], packages: packagesOf(chunks.flatMap(({ moduleIds }) => moduleIds)) }
}

/** The npm packages that modules are from. */
function packagesOf(modules: readonly string[]): readonly Package[] {
  const folders = modules.filter((path) => path.includes('/node_modules/')).map((path) => packageFolder(dirname(path)))
  return [...new Set(folders)].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
    return { kind: 'npm', name, version, license }
  })
}

/** A package may have more of these files, which say of a folder only how it is to be read. */
function packageFolder(folder: string): string {
  const isPackage =
    existsSync(`${folder}/package.json`) && 'version' in JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  return isPackage ? folder : packageFolder(dirname(folder))
}
