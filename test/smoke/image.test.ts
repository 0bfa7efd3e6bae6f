/** hack/image: one image, the same from every checkout. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BUILD } from '../lab/programs.ts'
import { run } from '../lab/shell.ts'
import { type Checkout, installedCheckout } from './checkout.ts'

const BUILD_MS = 180_000
const MOST_BYTES = 60e6

let checkouts: readonly Checkout[] = []
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nsmesh-image-'))
  checkouts = [await installedCheckout(), await installedCheckout()]
  const env = { NSM_BUILD_DIR: BUILD }
  const build = ({ root }: Checkout, index: number) =>
    run([process.execPath, `${root}/hack/image.ts`, '--folder', `${folder}/${index}`], { env, timeoutMs: BUILD_MS })
  await Promise.all(checkouts.map(build))
}, BUILD_MS)
afterAll(() => {
  for (const checkout of checkouts) checkout.remove()
  rmSync(folder, { recursive: true })
})

const image = (index: number) => readFileSync(`${folder}/${index}/nsmesh.tar`)
const fileOf = (path: string) => run(['tar', '--extract', '--to-stdout', '--file', `${folder}/0/nsmesh.tar`, path])
const blob = async (digest: string) => JSON.parse(await fileOf(`blobs/${digest.replace(':', '/')}`))

test('two checkouts give the same bytes', () => {
  expect(image(0).equals(image(1))).toBe(true)
})

test('it is small enough to be pulled', () => {
  expect(image(0).length).toBeLessThan(MOST_BYTES)
})

test('it says for which architecture it is, and runs as a user without rights', async () => {
  const { manifests } = JSON.parse(await fileOf('index.json'))
  const manifest = await blob(manifests[0].digest)
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
  expect(manifests).toMatchObject([{ platform: { architecture, os: 'linux' } }])
  expect(await blob(manifest.config.digest)).toMatchObject({ architecture, config: { User: '65532:65532' } })
})

test('what is in it is told: node, the libraries and the npm packages with their versions', () => {
  const document = JSON.parse(readFileSync(`${folder}/0/nsmesh.spdx.json`, 'utf8'))
  const locators = document.packages
    .flatMap(({ externalRefs = [] }) => externalRefs)
    .map(({ referenceLocator }: { readonly referenceLocator: string }) => referenceLocator)
  expect(locators).toContain(`pkg:generic/node@${process.versions.node}`)
  expect(locators).toContainEqual(expect.stringMatching(/^pkg:deb\/debian\/libc6@2/))
  expect(locators).toContainEqual(expect.stringMatching(/^pkg:npm\/%40grpc\/grpc-js@1/))
  const ids = document.packages.map(({ SPDXID }: { readonly SPDXID: string }) => SPDXID)
  expect(new Set(ids).size).toBe(ids.length)
})
