/**
 * The certificate authority of a domain: a self-signed EC P-256 key that signs SVIDs. The caller decides which names an
 * SVID gets; the names in a certificate request are ignored. A trust bundle may contain several authorities, so that a
 * new one can be distributed before it signs, and the old one removed after its last SVID has expired.
 */
import { generateKeyPair, hkdfSync, type KeyObject, randomBytes, type webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import { parseSpiffeId, type SpiffeId } from '../api/index.ts'
import { type Clock, NsmError } from '../base/index.ts'
import { readCertificate } from './certificate.ts'
import { readCsr } from './csr.ts'
import { isHostName } from './host-name.ts'
import { x509 } from './x509.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Makes certificates valid for peers whose clock is behind. */
const BACKDATE_MS = 15 * MINUTE_MS
/**
 * Long, so that a domain does not fail because somebody forgot a date. A shorter lifetime would not protect a key that
 * is in use: an authority ends by rotation or revocation, not by expiry.
 */
const AUTHORITY_LIFETIME_MS = 10 * 365 * 24 * HOUR_MS
const SVID_LIFETIME_MS = HOUR_MS

/** The subject of a leaf. An authority has a common name, too: a leaf with its subject would count as self-signed. */
const ORGANIZATION = 'O=nsmesh'
/** RFC 5280 appendix A.1 */
const MAX_COMMON_NAME_CHARS = 64

const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

export interface AuthorityMaterial {
  /** DER, self-signed. */
  readonly certificate: Uint8Array
  readonly privateKey: KeyObject
}

export interface IssueOptions {
  /** PKCS#10, DER. */
  readonly csr: Uint8Array
  /** A SPIFFE ID in the trust domain of the authority, with a path. */
  readonly spiffeId: string
  /** Additional names, for peers that can only check DNS names: host names, not patterns. */
  readonly dnsNames?: readonly string[]
  /** One hour by default, which is also the maximum. */
  readonly lifetimeMs?: number
}

export interface IssuedSvid {
  readonly spiffeId: string
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[]
  readonly expiresMs: number
}

/** Creates the key and the certificate of a new authority. */
export async function createAuthorityMaterial(trustDomain: string, clock: Clock): Promise<AuthorityMaterial> {
  const { id } = parseSpiffeId(`spiffe://${trustDomain}`)
  const { privateKey, publicKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const verifying = publicKey.toCryptoKey(signing, true, ['verify'])
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys: { privateKey: privateKey.toCryptoKey(signing, false, ['sign']), publicKey: verifying },
    name: `CN=${trustDomain.slice(0, MAX_COMMON_NAME_CHARS)},${ORGANIZATION}`,
    serialNumber: newSerialNumber(),
    notBefore: new Date(clock.nowMs() - BACKDATE_MS),
    notAfter: new Date(clock.nowMs() + AUTHORITY_LIFETIME_MS),
    signingAlgorithm: signing,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: id }]),
      await x509.SubjectKeyIdentifierExtension.create(verifying),
    ],
  })
  return { certificate: new Uint8Array(certificate.rawData), privateKey }
}

export class Authority {
  readonly trustDomain: string
  /** The DER certificate that others add to their trust bundles. */
  readonly certificate: Uint8Array
  readonly #issuer: x509.X509Certificate
  readonly #key: webcrypto.CryptoKey
  readonly #expiresMs: number
  readonly #derive: (purpose: string) => Uint8Array
  readonly #clock: Clock

  /** @throws {NsmError} `failed_precondition` when the key does not match the certificate */
  constructor(material: AuthorityMaterial, clock: Clock) {
    const { x509: certificate, uris, expiresMs } = readCertificate(material.certificate)
    if (!certificate.checkPrivateKey(material.privateKey)) {
      throw new NsmError('failed_precondition', 'Cannot open the authority: its key does not match its certificate')
    }
    this.trustDomain = parseSpiffeId(uris[0] ?? '').trustDomain
    this.certificate = material.certificate
    this.#issuer = new x509.X509Certificate(Buffer.from(material.certificate))
    this.#key = material.privateKey.toCryptoKey(signing, false, ['sign'])
    const secret = material.privateKey.export({ format: 'der', type: 'pkcs8' })
    this.#derive = (purpose) => new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32))
    this.#expiresMs = expiresMs
    this.#clock = clock
  }

  /** A secret of 32 bytes for one purpose, which lasts as long as the authority's key. */
  deriveKey(purpose: string): Uint8Array {
    return this.#derive(purpose)
  }

  /** @throws {NsmError} `invalid_argument` for an invalid request, `permission_denied` for a foreign trust domain */
  async issue(options: IssueOptions): Promise<IssuedSvid> {
    const { dnsNames = [] } = options
    const spiffeId = this.#checkName(options.spiffeId)
    checkDnsNames(dnsNames)
    const publicKey = readCsr(options.csr).toCryptoKey(signing, true, ['verify'])
    const nowMs = this.#clock.nowMs()
    const lifetimeMs = Math.min(options.lifetimeMs ?? SVID_LIFETIME_MS, SVID_LIFETIME_MS)
    // X.509 times have a resolution of one second.
    const expiresMs = Math.floor(Math.min(nowMs + lifetimeMs, this.#expiresMs) / 1000) * 1000
    const certificate = await x509.X509CertificateGenerator.create({
      publicKey,
      signingKey: this.#key,
      signingAlgorithm: signing,
      issuer: this.#issuer.subjectName,
      subject: ORGANIZATION,
      serialNumber: newSerialNumber(),
      notBefore: new Date(nowMs - BACKDATE_MS),
      notAfter: new Date(expiresMs),
      extensions: await this.#leafExtensions(spiffeId.id, dnsNames),
    })
    return { spiffeId: spiffeId.id, chain: [new Uint8Array(certificate.rawData)], expiresMs }
  }

  #checkName(id: string): SpiffeId {
    const spiffeId = parseSpiffeId(id)
    if (spiffeId.trustDomain !== this.trustDomain || spiffeId.path === '') {
      throw new NsmError('permission_denied', 'Cannot issue the SVID: its name is not in this trust domain', {
        fields: { id },
      })
    }
    return spiffeId
  }

  async #leafExtensions(id: string, dnsNames: readonly string[]): Promise<x509.Extension[]> {
    const names = dnsNames.map((value) => ({ type: 'dns' as const, value }))
    const { serverAuth, clientAuth } = x509.ExtendedKeyUsage
    return [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: id }, ...names]),
      await x509.AuthorityKeyIdentifierExtension.create(this.#issuer.publicKey),
    ]
  }
}

function checkDnsNames(names: readonly string[]): void {
  const wrong = names.find((name) => !isHostName(name))
  if (wrong === undefined) return
  throw new NsmError('invalid_argument', 'Cannot issue the SVID: a DNS name is not the name of a host', {
    fields: { name: wrong.slice(0, 64) },
  })
}

/** 128 random bits. The first bit is 0, so that the number is positive; the second is 1, which fixes its length. */
function newSerialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}
