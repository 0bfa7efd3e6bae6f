import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openLocalSecret } from './local-secret.ts'
import { secretFile } from './secret-file.ts'

async function path() {
  const folder = await mkdtemp(join(tmpdir(), 'nsm-secret-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return join(folder, 'secret')
}

it('openLocalSecret makes a secret once, which only its owner can read', async () => {
  const file = await path()
  const first = await openLocalSecret(secretFile(file))
  const again = await openLocalSecret(secretFile(file))
  expect([first.isNew, again.isNew, first.secret.length]).toEqual([true, false, 32])
  expect(Buffer.from(again.secret).equals(first.secret)).toBe(true)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

it('openLocalSecret refuses a damaged file instead of making another secret', async () => {
  const file = await path()
  await writeFile(file, 'short')
  await expect(openLocalSecret(secretFile(file))).rejects.toMatchObject({ code: 'failed_precondition' })
})
