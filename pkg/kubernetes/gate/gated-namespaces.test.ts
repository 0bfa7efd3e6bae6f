import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '../../base/index.ts'
import { GatedNamespaces } from './gated-namespaces.ts'

const DB = { 'networkservicemesh.io': 'kernel://db/nsm-1' }

function gated() {
  const folder = mkdtempSync(join(tmpdir(), 'nsm-gated-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const open = () => new GatedNamespaces({ folder, ownNamespace: 'nsm-system', logger: silentLogger })
  return { folder, open, files: () => readdirSync(join(folder, 'gated')).sort() }
}

test('a namespace has a file while its pods inherit wires or services', () => {
  const { open, files } = gated()
  const namespaces = open()
  namespaces.set('shop', DB)
  namespaces.set('bank', { 'networkservicemesh.io/serve': 'db' })
  namespaces.set('plain', {})
  namespaces.set('empty', { 'networkservicemesh.io': ' ' })
  expect(files()).toEqual(['bank', 'shop'])
  namespaces.set('shop', {})
  namespaces.set('bank', undefined)
  expect(files()).toEqual([])
})

test.each(['kube-system', 'nsm-system'])('pods of %s wait for nothing that they inherit', (namespace) => {
  const { open, files } = gated()
  const namespaces = open()
  namespaces.set(namespace, DB)
  namespaces.settle()
  expect(files()).toEqual([])
})

test('the files stand while the daemon restarts, and those of namespaces that are gone are removed then', () => {
  const { open, files } = gated()
  const before = open()
  before.set('shop', DB)
  before.set('gone', DB)
  const after = open()
  expect(files()).toEqual(['gone', 'shop'])
  after.set('shop', DB)
  after.settle()
  expect(files()).toEqual(['shop'])
})

test('a folder that cannot be written is no reason to fail', () => {
  const { open, folder } = gated()
  writeFileSync(join(folder, 'gated'), '')
  const namespaces = open()
  namespaces.set('shop', DB)
  namespaces.settle()
})
