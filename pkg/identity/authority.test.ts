import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { Authority, createAuthorityMaterial } from './authority.ts'
import { openAuthority } from './authority-file.ts'
import { createKeyAndCsr } from './csr.ts'
import { issueIdentity } from './issue-identity.ts'
import { secretFile } from './secret-file.ts'
import { verifySvid } from './verify-svid.ts'

const HOUR_MS = 3_600_000

async function newAuthority(domain = 'east', clock = new FakeClock()) {
  return new Authority(await createAuthorityMaterial(domain, clock), clock)
}

describe('Authority', () => {
  it.each(['', '*.n1', 'evil.com\0.n1', 'a b.n1', 'a,DNS:registry.n1', 'n1.', '-a.n1', `${'a'.repeat(64)}.n1`, 'ä.n1'])(
    'issues no certificate with the DNS name %j',
    async (name) => {
      const authority = await newAuthority()
      const options = { spiffeId: 'spiffe://east/node/n1', dnsNames: ['n1', name] }
      await expect(issueIdentity(authority, options)).rejects.toMatchObject({ code: 'invalid_argument' })
    },
  )

  it('issues SVIDs for one hour, which its bundle verifies', async () => {
    const clock = new FakeClock()
    const authority = await newAuthority('east', clock)
    const { svid, bundles } = await issueIdentity(authority, {
      spiffeId: 'spiffe://east/node/n1',
      dnsNames: ['n1'],
      lifetimeMs: 5 * HOUR_MS,
    })
    expect(svid.expiresMs).toBe(clock.nowMs() + HOUR_MS)
    const verified = verifySvid(svid.chain, bundles, clock.nowMs())
    expect(verified.spiffeId).toEqual({ id: 'spiffe://east/node/n1', trustDomain: 'east', path: '/node/n1' })
    expect(verified.expiresMs).toBe(svid.expiresMs)
    const certificate = new X509Certificate(svid.chain[0]!)
    expect(certificate.subjectAltName).toBe('URI:spiffe://east/node/n1, DNS:n1')
    expect(certificate.checkPrivateKey(svid.privateKey)).toBe(true)
    expect(certificate.serialNumber).toHaveLength(32)
    // OpenSSL treats a leaf with the subject of its issuer as self-signed.
    expect(certificate.subject).not.toBe(certificate.issuer)
    expect(certificate.validFromDate.getTime()).toBe(clock.nowMs() - 15 * 60_000)
  })

  it('backdates by 15 minutes, for clocks that are behind, and no more', async () => {
    const clock = new FakeClock()
    const { svid, bundles } = await issueIdentity(await newAuthority('east', clock), { spiffeId: 'spiffe://east/a' })
    expect(() => verifySvid(svid.chain, bundles, clock.nowMs() - 899_000)).not.toThrow()
    expect(() => verifySvid(svid.chain, bundles, clock.nowMs() - 901_000)).toThrow('it is not valid yet')
  })

  it.each(['spiffe://west/node/n1', 'spiffe://east'])('does not issue %s', async (spiffeId) => {
    await expect(issueIdentity(await newAuthority(), { spiffeId })).rejects.toMatchObject({ code: 'permission_denied' })
  })

  it('refuses every damaged certificate request', async () => {
    const authority = await newAuthority()
    const { csr } = await createKeyAndCsr()
    for (let at = 0; at < csr.length; at += 1) {
      const damaged = csr.map((byte, index) => (index === at ? byte ^ 0x01 : byte))
      await expect(authority.issue({ csr: damaged, spiffeId: 'spiffe://east/a' })).rejects.toMatchObject({
        code: 'invalid_argument',
      })
      await expect(authority.issue({ csr: csr.subarray(0, at), spiffeId: 'spiffe://east/a' })).rejects.toMatchObject({
        code: 'invalid_argument',
      })
    }
    const longer = new Uint8Array([...csr, 0])
    await expect(authority.issue({ csr: longer, spiffeId: 'spiffe://east/a' })).rejects.toThrow('Cannot decode the DER')
    await expect(authority.issue({ csr: new Uint8Array(20_000), spiffeId: 'spiffe://east/a' })).rejects.toThrow(
      'it is larger than 16 KiB',
    )
  })
})

describe('openAuthority', () => {
  async function directory() {
    const path = await mkdtemp(join(tmpdir(), 'nsm-authority-'))
    onTestFinished(() => rm(path, { recursive: true }))
    return path
  }

  const open = (path: string, trustDomain: string) =>
    openAuthority({ place: secretFile(path), trustDomain, clock: systemClock })

  it('stores the authority in a file that only its owner can read', async () => {
    const path = join(await directory(), 'authority.pem')
    const { authority: first, isNew } = await open(path, 'east')
    const { authority: again, isNew: isNewAgain } = await open(path, 'east')
    expect([isNew, isNewAgain]).toEqual([true, false])
    expect(Buffer.from(again.certificate).equals(first.certificate)).toBe(true)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const { svid } = await issueIdentity(again, { spiffeId: 'spiffe://east/a' })
    expect(() => verifySvid(svid.chain, new Map([['east', [first.certificate]]]), Date.now())).not.toThrow()
  })

  it('refuses the state of another trust domain and leaves it unchanged', async () => {
    const path = join(await directory(), 'authority.pem')
    await open(path, 'east')
    const before = await readFile(path, 'utf8')
    await expect(open(path, 'west')).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(await readFile(path, 'utf8')).toBe(before)
  })

  it('refuses a damaged file instead of creating a new authority', async () => {
    const path = join(await directory(), 'authority.pem')
    await writeFile(path, 'not an authority')
    await expect(open(path, 'east')).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(await readFile(path, 'utf8')).toBe('not an authority')
  })
})
