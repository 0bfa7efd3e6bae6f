import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../pkg/base/index.ts'
import { decodeToken, encodeToken } from '../../pkg/federation/joining/token.ts'
import { createKeyAndCsr } from '../../pkg/identity/index.ts'
import { RegistryProcess, soon } from './registry-process.ts'

const STATE = new URL('../../pkg/daemon/nsm-registry/testing/registry-0.1.sql', import.meta.url)
/** Of an invitation for node n3 that version 0.1 made. */
const SECRET = 'MaQJgd4MvDzMMni-r2Q9RiKgyURHMeXou4nGZbgrXw4'

let registry: RegistryProcess

beforeEach(async () => {
  registry = await RegistryProcess.prepare('east')
  mkdirSync(registry.stateDir, { mode: 0o700 })
  const database = new DatabaseSync(join(registry.stateDir, 'registry.db'))
  database.exec(readFileSync(STATE, 'utf8'))
  database.exec(`UPDATE federation_invitation SET expires_ms = ${systemClock.nowMs() + 3_600_000}`)
  database.close()
})
afterEach(() => registry.close())

test('nsm-registry goes on with the state of version 0.1, also after it was killed', async () => {
  for (const kill of [true, false]) {
    await registry.start()
    const { domains } = await registry.admin().domains.list({}, soon())
    expect(domains.map(({ name, exportedServices }) => [name, exportedServices])).toEqual([
      ['north', ['dns']],
      ['west', ['db', 'dns', 'files']],
    ])
    const { nodes } = await registry.admin().domains.listNodes({}, soon())
    expect(nodes.map(({ name, revoked }) => [name, revoked])).toEqual([
      ['n1', false],
      ['n2', true],
    ])
    if (kill) await registry.stop('SIGKILL')
  }
})

test('an invitation of version 0.1 lets its node in, once', async () => {
  await registry.start()
  const { token } = await registry.admin().domains.inviteNode({ node: 'n3', lifetime: undefined }, soon())
  const old = encodeToken({ ...decodeToken(token), secret: SECRET })
  const { csr } = await createKeyAndCsr()
  const join = () => registry.stranger(old).authority.joinNode({ token: old, csr: Buffer.from(csr) }, soon())
  expect((await join()).spiffeId).toBe('spiffe://east/node/n3')
  await expect(join()).rejects.toMatchObject({ code: 'failed_precondition' })
})
