/**
 * How somebody without an identity shows in TLS that it has a key: by a certificate that it signed itself, which says
 * nothing else.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../base/index.ts'
import { readCertificate } from './certificate.ts'
import { cryptoKeys, readCsr } from './csr.ts'
import type { Svid } from './svid.ts'
import { x509 } from './x509.ts'

/** Nobody asks when it is valid. */
const LIFETIME_MS = 24 * 3_600_000

/** What to show in TLS. It has no SPIFFE ID. */
export async function keyProof(privateKey: KeyObject, clock: Clock): Promise<Svid> {
  const expiresMs = clock.nowMs() + LIFETIME_MS
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys: cryptoKeys(privateKey),
    name: 'CN=key',
    serialNumber: '01',
    notBefore: new Date(clock.nowMs() - LIFETIME_MS),
    notAfter: new Date(expiresMs),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  return { spiffeId: '', chain: [new Uint8Array(certificate.rawData)], privateKey, expiresMs }
}

/**
 * The fingerprint of the key that is requested to be certified, if the caller has shown in TLS that it is its own: a
 * request alone proves nothing to those who may have seen it. Undefined where it has not.
 * @param chain what the caller showed
 * @throws {NsmError} `invalid_argument` for an invalid request
 */
export function provenKey(csr: Uint8Array, chain: readonly Uint8Array[]): string | undefined {
  const requested = spkiOf(readCsr(csr))
  const shown = chain[0] === undefined ? undefined : publicKeyOf(chain[0])
  if (shown === undefined || !requested.equals(spkiOf(shown))) return undefined
  return createHash('sha256').update(requested).digest('base64url')
}

function publicKeyOf(der: Uint8Array): KeyObject | undefined {
  try {
    return readCertificate(der).publicKey
  } catch {
    return undefined
  }
}

function spkiOf(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return publicKey.export({ format: 'der', type: 'spki' })
}
