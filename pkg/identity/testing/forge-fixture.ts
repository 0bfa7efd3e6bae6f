/** For tests: an authority that issues any certificate, valid or not. */
import { generateKeyPairSync, randomBytes, type webcrypto } from 'node:crypto'
import type { Svid } from '../svid.ts'
import { x509 } from '../x509.ts'

export const NOW_MS = Date.UTC(2030, 0, 1)
const HOUR_MS = 3_600_000
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

interface Keys {
  readonly privateKey: webcrypto.CryptoKey
  readonly publicKey: webcrypto.CryptoKey
}

export interface Forged {
  readonly der: Uint8Array
  readonly keys: Keys
  readonly svid: Svid
}

export interface Shape {
  readonly uris?: readonly string[]
  readonly isAuthority?: boolean
  readonly pathLength?: number
  readonly usage?: number | undefined
  readonly notBefore?: number
  readonly notAfter?: number
  readonly rsaBits?: number
  readonly hash?: string
  readonly extra?: readonly x509.Extension[]
  readonly name?: string
}

const { digitalSignature, keyCertSign } = x509.KeyUsageFlags
export const usage = x509.KeyUsageFlags

export function forgeAuthority(domain = 'east', shape: Shape = {}): Promise<Forged> {
  const defaults = {
    isAuthority: true,
    usage: keyCertSign,
    uris: [`spiffe://${domain}`],
    name: `CN=${domain} authority`,
  }
  return forge({ ...defaults, ...shape })
}

export function forgeLeaf(issuer: Forged, shape: Shape = {}): Promise<Forged> {
  return forge({ uris: ['spiffe://east/w'], usage: digitalSignature, name: 'CN=leaf', ...shape }, issuer)
}

async function forge(shape: Shape, issuer?: Forged): Promise<Forged> {
  const { privateKey, publicKey } = makeKeys(shape.rsaBits)
  const algorithm = shape.rsaBits === undefined ? { ...ecdsa, hash: shape.hash ?? 'SHA-256' } : rsa
  const keys = {
    privateKey: privateKey.toCryptoKey(algorithm, true, ['sign']),
    publicKey: publicKey.toCryptoKey(algorithm, true, ['verify']),
  }
  const uris = shape.uris ?? []
  const names = uris.map((value) => ({ type: 'url' as const, value }))
  const certificate = await x509.X509CertificateGenerator.create({
    publicKey: keys.publicKey,
    signingKey: issuer?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: { ...ecdsa, hash: shape.hash ?? 'SHA-256' },
    subject: shape.name ?? 'CN=x',
    issuer: issuer === undefined ? (shape.name ?? 'CN=x') : new x509.X509Certificate(Buffer.from(issuer.der)).subject,
    serialNumber: `40${randomBytes(15).toString('hex')}`,
    notBefore: new Date(shape.notBefore ?? NOW_MS - HOUR_MS),
    notAfter: new Date(shape.notAfter ?? NOW_MS + HOUR_MS),
    extensions: [
      new x509.BasicConstraintsExtension(shape.isAuthority ?? false, shape.pathLength, true),
      ...(shape.usage === undefined ? [] : [new x509.KeyUsagesExtension(shape.usage, true)]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      ...(shape.extra ?? []),
    ],
  })
  const der = new Uint8Array(certificate.rawData)
  return { der, keys, svid: { spiffeId: uris[0] ?? '', chain: [der], privateKey, expiresMs: NOW_MS + HOUR_MS } }
}

function makeKeys(rsaBits: number | undefined) {
  return rsaBits === undefined
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: rsaBits })
}
