import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NsmError } from '../base/index.ts'
import { readCertificate } from './certificate.ts'
import { isHostName } from './host-name.ts'
import { ascii, der, edit, extend, extension } from './testing/edit-certificate.ts'
import { type Forged, forgeAuthority, forgeLeaf } from './testing/forge-fixture.ts'
import { oddCertificates } from './testing/odd-certificates.ts'
import { verifySvid } from './verify-svid.ts'

const root = await forgeAuthority()
const bare = await forgeAuthority('east', { uris: [] })
const rsa = await forgeAuthority('east', { uris: [], rsaBits: 2048 })
const odd = oddCertificates(bare.der, rsa.der)

function reasonOf(certificate: Uint8Array): string {
  try {
    readCertificate(certificate)
    return ''
  } catch (error) {
    if (error instanceof NsmError && error.code === 'invalid_argument') return error.message
    throw error
  }
}

describe('readCertificate', () => {
  it.each(odd)('refuses $name, which OpenSSL reads', ({ der: certificate, refusal }) => {
    expect(() => new X509Certificate(certificate).publicKey).not.toThrow()
    expect(reasonOf(certificate)).toMatch(new RegExp(`^Cannot (read the certificate|decode the DER): .*${refusal}`))
  })

  it('reads what an edit leaves as it was', () => {
    expect(edit(root.der, {})).toEqual(root.der)
    expect(readCertificate(root.der)).toMatchObject({ isAuthority: true, uris: ['spiffe://east'] })
  })

  it('reads the extensions that authorities of others have', () => {
    const uri = der(0x86, ascii('http://ca.example/crl'))
    const points = extension({ oid: '551d1f', value: der(0x30, der(0x30, der(0xa0, der(0xa0, uri)))) })
    const policies = extension({ oid: '551d20', value: der(0x30, der(0x30, der(6, [0x2a, 3]))) })
    const method = der(6, Buffer.from('2b06010505073001', 'hex'))
    const access = extension({ oid: '2b06010505070101', value: der(0x30, der(0x30, method, uri)) })
    expect(readCertificate(extend(root.der, points, policies, access)).isAuthority).toBe(true)
  })

  it('never fails but by an error that says why, whatever the bytes are', () => {
    const any = fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged(root), damaged(rsa))
    fc.assert(
      fc.property(any, (bytes) => {
        try {
          readCertificate(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  it('reads nothing that has a negative or a long serial number', () => {
    const serial = fc.uint8Array({ minLength: 1, maxLength: 24 })
    fc.assert(
      fc.property(serial, (bytes) => {
        const reason = reasonOf(edit(root.der, { serial: der(2, bytes) }))
        const isShortest = bytes.length === 1 || ![0, 0xff].includes(bytes[0] ?? 0) || isSignNeeded(bytes)
        const isPositive = (bytes[0] ?? 0) < 0x80 && bytes.some((byte) => byte !== 0)
        expect(reason === '').toBe(isShortest && isPositive && bytes.length <= 20)
      }),
    )
  })
})

it('verifySvid says what is odd about the authority of a domain', async () => {
  const leaf = await forgeLeaf(root)
  const bundles = new Map([['east', [edit(root.der, { serial: new Uint8Array([2, 1, 0xff]) })]]])
  const refused = expect.objectContaining({
    code: 'unauthenticated',
    cause: expect.objectContaining({ message: 'Cannot read the certificate: its serial number is negative' }),
  })
  expect(() => verifySvid([leaf.der], bundles, Date.now())).toThrow(refused)
})

it.each([
  ['n1', true],
  ['n1.example.com', true],
  ['with_underscore', true],
  ['', false],
  ['a..b', false],
  ['a.', false],
  ['-a', false],
  ['a b', false],
  ['*.a', false],
  ['x'.repeat(64), false],
  [`${'x.'.repeat(126)}xx`, false],
])('isHostName(%j) is %s', (name, expected) => {
  expect(isHostName(name)).toBe(expected)
})

function isSignNeeded([first = 0, second = 0]: Uint8Array): boolean {
  return first === 0 ? second >= 0x80 : second < 0x80
}

/** Up to three bytes of a certificate are others. */
function damaged({ der: good }: Forged): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 0, max: 255 }))
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const bytes = new Uint8Array(good)
    for (const [at, byte] of changes) bytes[at] = byte
    return bytes
  })
}
