import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { inCluster, readKubeconfig } from './cluster.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nsm-kube-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text)
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

function kubeconfig(user: object, cluster: object = { 'certificate-authority-data': base64('CA') }): string {
  write(
    'config',
    stringify({
      'current-context': 'one',
      contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://192.0.2.1:6443', ...cluster } }],
      users: [{ name: 'u', user }],
    }),
  )
  return join(folder, 'config')
}

describe('inCluster', () => {
  test('reads the token and the authority anew for each call', async () => {
    write('ca.crt', 'CA')
    write('token', 'first\n')
    const cluster = inCluster({ host: 'fd00::1', port: '443', directory: folder })
    expect(cluster.server).toBe('https://[fd00::1]:443')
    expect(await cluster.credentials()).toEqual({ authorities: 'CA', token: 'first' })
    write('token', 'second')
    write('ca.crt', 'new CA')
    expect(await cluster.credentials()).toEqual({ authorities: 'new CA', token: 'second' })
  })
})

describe('readKubeconfig', () => {
  test('takes a client certificate, also from files beside it', async () => {
    write('ca.pem', 'CA')
    write('key.pem', 'KEY')
    const user = { 'client-certificate-data': base64('CERTIFICATE'), 'client-key': 'key.pem' }
    const cluster = await readKubeconfig(kubeconfig(user, { 'certificate-authority': 'ca.pem' }))
    expect(cluster.server).toBe('https://192.0.2.1:6443')
    expect(await cluster.credentials()).toEqual({ authorities: 'CA', certificate: 'CERTIFICATE', key: 'KEY' })
  })

  test('takes a token, also from a file that is renewed', async () => {
    const plain = await readKubeconfig(kubeconfig({ token: 'secret' }))
    expect(await plain.credentials()).toEqual({ authorities: 'CA', token: 'secret' })
    write('token', 'first')
    const cluster = await readKubeconfig(kubeconfig({ tokenFile: join(folder, 'token') }))
    write('token', 'second\n')
    expect(await cluster.credentials()).toMatchObject({ token: 'second' })
  })

  test('takes the name in the certificate of the server', async () => {
    expect(await readKubeconfig(kubeconfig({}, { 'tls-server-name': 'api' }))).toMatchObject({ serverName: 'api' })
  })

  test.each([
    ['exec', { exec: { command: 'aws' } }, {}],
    ['auth-provider', { 'auth-provider': {} }, {}],
    ['insecure-skip-tls-verify', {}, { 'insecure-skip-tls-verify': true }],
  ])('refuses %s', async (field, user, cluster) => {
    const fields = { field, path: join(folder, 'config') }
    await expect(readKubeconfig(kubeconfig(user, cluster))).rejects.toMatchObject({ code: 'invalid_argument', fields })
  })

  test.each(['', 'current-context: two', 'current-context: one\ncontexts: []'])('refuses %j', async (text) => {
    write('config', text)
    await expect(readKubeconfig(join(folder, 'config'))).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})
