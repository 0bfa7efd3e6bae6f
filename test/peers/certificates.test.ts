/** What our reader of certificates accepts, Go's crypto/x509 accepts: SPIRE, Envoy's agents and upstream read with it. */
import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { readBundle } from '../../pkg/identity/index.ts'
import { forgeAuthority, oddCertificates } from '../../pkg/identity/testing/index.ts'
import { run } from '../lab/shell.ts'
import { peerProgram } from './spire.ts'

const MUTATIONS = 60_000
const bare = await forgeAuthority('east', { uris: [] })
const rsa = await forgeAuthority('east', { uris: [], rsaBits: 2048 })
const named = await forgeAuthority()

/** What Go says of each: "ok", or why not. */
async function askGo(certificates: readonly Uint8Array[]): Promise<readonly string[]> {
  const input = certificates.map((der) => Buffer.from(der).toString('base64')).join('\n')
  return (await run([peerProgram('parse-certificates')], { input })).trim().split('\n')
}

function isRead(der: Uint8Array): boolean {
  try {
    return readBundle(der, 'east').length === 1
  } catch {
    return false
  }
}

test('Go refuses the certificates that we refuse as such, and OpenSSL takes them', async () => {
  const odd = oddCertificates(bare.der, rsa.der)
  const answers = await askGo(odd.map(({ der }) => der))
  for (const [at, { name, der, isReadByGo = false }] of odd.entries()) {
    expect({ name, isRead: isRead(der), isReadByGo: answers[at] === 'ok' }).toEqual({ name, isRead: false, isReadByGo })
    expect(() => new X509Certificate(der)).not.toThrow()
  }
})

test(`of ${MUTATIONS} damaged certificates, Go reads all that we read`, { timeout: 120_000 }, async () => {
  const random = generator(1)
  const damaged = Array.from({ length: MUTATIONS }, (_, at) => {
    const der = Uint8Array.from([bare, rsa, named][at % 3]?.der ?? [])
    for (let changes = 1 + random(3); changes > 0; changes -= 1) der[random(der.length)] = random(256)
    return der
  })
  const read = damaged.filter(isRead)
  expect(read.length).toBeGreaterThan(MUTATIONS / 10) // in the signature anything may stand
  const answers = await askGo(read)
  const refused = read.filter((_, at) => answers[at] !== 'ok')
  expect(refused.map((der) => Buffer.from(der).toString('base64'))).toEqual([])
})

/** Numbers below `limit`, the same in each run. */
function generator(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
