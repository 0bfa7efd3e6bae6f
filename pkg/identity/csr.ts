import { createPublicKey, generateKeyPair, type KeyObject, verify } from 'node:crypto'
import { promisify } from 'node:util'
import { NsmError } from '../base/index.ts'
import { expectTag, readAll, readBitString, readOnly, tags } from './der.ts'
import { x509 } from './x509.ts'

const MAX_CSR_BYTES = 16 * 1024
const ECDSA_WITH_SHA256 = '2a8648ce3d040302'

export interface KeyAndCsr {
  readonly privateKey: KeyObject
  /** PKCS#10, DER. */
  readonly csr: Uint8Array
}

/** Makes a key, EC P-256 as NSM's tokens need it, and the request for a certificate of it. */
export async function createKeyAndCsr(): Promise<KeyAndCsr> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: {
      privateKey: privateKey.toCryptoKey(algorithm, false, ['sign']),
      publicKey: publicKey.toCryptoKey(algorithm, true, ['verify']),
    },
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  return { privateKey, csr: new Uint8Array(request.rawData) }
}

/**
 * The public key of a request whose sender holds the private one. Whatever else the request asks for is ignored:
 * names come from who asks, not from what it says.
 *
 * @throws {NsmError} `invalid_argument`
 */
export function readCsr(csr: Uint8Array): KeyObject {
  if (csr.length > MAX_CSR_BYTES) refuse('larger than 16 KiB')
  const [info, algorithm, signature] = readAll(readOnly(csr, tags.sequence).value)
  const [, , spki] = readAll(expectTag(info, tags.sequence).value)
  const key = readKey(expectTag(spki, tags.sequence).raw)
  const [oid] = readAll(expectTag(algorithm, tags.sequence).value)
  const algorithmOid = Buffer.from(expectTag(oid, tags.oid).value).toString('hex')
  if (algorithmOid !== ECDSA_WITH_SHA256) refuse('not signed with ECDSA and SHA-256')
  if (!verify('sha256', expectTag(info, tags.sequence).raw, key, readBitString(signature))) refuse('wrong signature')
  return key
}

function readKey(spki: Uint8Array): KeyObject {
  const key = readSpki(spki)
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type !== 'ec' || details?.namedCurve !== 'prime256v1') refuse('its key is not EC P-256')
  return key
}

function readSpki(spki: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch {
    refuse('its key cannot be read')
  }
}

function refuse(reason: string): never {
  throw new NsmError('invalid_argument', 'Cannot accept certificate request', { fields: { reason } })
}
