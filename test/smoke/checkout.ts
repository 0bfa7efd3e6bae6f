/** A copy of the tracked files, as somebody has them who just cloned the project. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../lab/programs.ts'
import { run } from '../lab/shell.ts'

export interface Checkout {
  readonly root: string
  remove(): void
}

export async function freshCheckout(): Promise<Checkout> {
  const root = mkdtempSync(join(tmpdir(), 'nsmesh-checkout-'))
  const files = await run(['git', '-C', ROOT, 'ls-files', '-z'])
  await run(['sh', '-c', `cd '${ROOT}' && xargs -0 cp --parents --target-directory '${root}'`], { input: files })
  return { root, remove: () => rmSync(root, { recursive: true }) }
}

/** One that has its npm packages. */
export async function installedCheckout(): Promise<Checkout> {
  const checkout = await freshCheckout()
  symlinkSync(`${ROOT}/node_modules`, `${checkout.root}/node_modules`)
  return checkout
}

/** Every file below a folder, with its content. */
export function filesIn(folder: string): ReadonlyMap<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name))
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'latin1')]))
}
