import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { type Identity, staticSource } from '../identity/index.ts'
import { connection, echoService, eventService, newAuthority, newIdentity, startServer } from './testing/rpc-fixture.ts'

// The interpreter of Debian, which has Debian's grpcio.
const PYTHON = '/usr/bin/python3'
const isThere = spawnSync(PYTHON, ['-c', 'import grpc, google.protobuf']).status === 0
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

it.skipIf(!isThere)('python3-grpcio calls, monitors and is refused over mTLS (skipped if not installed)', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nsm-interop-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const authority = await newAuthority()
  const { calls, service } = echoService()
  const events = eventService([{ type: 'INITIAL_STATE_TRANSFER', connections: new Map([['c-1', connection]]) }])
  const identity = staticSource(await newIdentity(authority, 'node/n1', { dnsNames: ['n1'] }))
  const server = await startServer({ security: { identity }, services: [service, events.service] })
  await writePem(directory, await newIdentity(authority, 'foreign'))
  const descriptors = join(directory, 'nsm.bin')
  await run(join(ROOT, 'node_modules/.bin/buf'), ['build', '-o', descriptors], { cwd: join(ROOT, 'proto') })

  const args = [descriptors, server.url.slice('tcp://'.length), directory, 'n1']
  const { stdout } = await run(PYTHON, [join(ROOT, 'pkg/rpc/interop_client.py'), ...args], { timeout: 15_000 })
  expect(JSON.parse(stdout)).toEqual({
    same: true,
    event: ['c-1'],
    refusal: ['INVALID_ARGUMENT', expect.stringContaining('field=connection.path.index')],
  })
  expect(calls).toHaveLength(1)
  expect(calls[0]?.peer.spiffeId).toBe('spiffe://east/foreign')
  expect(calls[0]?.token).toBeUndefined()
  await expect.poll(() => events.state.open).toBe(0)
})

async function writePem(directory: string, { svid, bundles }: Identity): Promise<void> {
  const key = svid.privateKey.export({ format: 'pem', type: 'pkcs8' })
  await writeFile(join(directory, 'key.pem'), key)
  await writeFile(join(directory, 'chain.pem'), svid.chain.map(toPem).join(''))
  await writeFile(join(directory, 'roots.pem'), [...bundles.values()].flat().map(toPem).join(''))
}

function toPem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`
}
