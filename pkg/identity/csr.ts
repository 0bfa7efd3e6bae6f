import { createPublicKey, generateKeyPair, type KeyObject, verify } from 'node:crypto'
import { promisify } from 'node:util'
import { NsmError } from '../base/index.ts'
import { expectTag, readAll, readBitString, readOnly, tags } from './der.ts'
import { x509 } from './x509.ts'

const MAX_CSR_BYTES = 16 * 1024
const ECDSA_WITH_SHA256 = '2a8648ce3d040302'

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' }

export interface KeyAndCsr {
  readonly privateKey: KeyObject
  /** PKCS#10, DER. */
  readonly csr: Uint8Array
}

/** Creates an EC P-256 key, the kind that NSM's tokens require, and a certificate request for it. */
export async function createKeyAndCsr(): Promise<KeyAndCsr> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  return { privateKey, csr: await csrOf(privateKey) }
}

/** A certificate request for a key that there is already. */
export async function csrOf(privateKey: KeyObject): Promise<Uint8Array> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: cryptoKeys(privateKey),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  return new Uint8Array(request.rawData)
}

/** Of an EC P-256 key, as the certificate library wants them. */
export function cryptoKeys(privateKey: KeyObject) {
  return {
    privateKey: privateKey.toCryptoKey(ecdsa, false, ['sign']),
    publicKey: createPublicKey(privateKey).toCryptoKey(ecdsa, true, ['verify']),
  }
}

/**
 * The public key of a certificate request, after checking that the sender has the private key. Everything else in the
 * request is ignored: names follow from the authenticated identity of the sender, not from the request.
 *
 * @throws {NsmError} `invalid_argument`
 */
export function readCsr(csr: Uint8Array): KeyObject {
  if (csr.length > MAX_CSR_BYTES) refuse('it is larger than 16 KiB')
  const [info, algorithm, signature] = readAll(readOnly(csr, tags.sequence).value)
  const [, , spki] = readAll(expectTag(info, tags.sequence).value)
  const key = readKey(expectTag(spki, tags.sequence).raw)
  const [oid] = readAll(expectTag(algorithm, tags.sequence).value)
  const algorithmOid = Buffer.from(expectTag(oid, tags.oid).value).toString('hex')
  if (algorithmOid !== ECDSA_WITH_SHA256) refuse('it is not signed with ECDSA and SHA-256')
  if (!verify('sha256', expectTag(info, tags.sequence).raw, key, readBitString(signature)))
    refuse('its signature is wrong')
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
    refuse('its key cannot be parsed')
  }
}

function refuse(reason: string): never {
  throw new NsmError('invalid_argument', `Cannot accept the certificate request: ${reason}`)
}
