/** The certificates of a cluster: who its programs and its users are. */
import { generateKeyPairSync, randomBytes, type webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import { x509 } from '../../pkg/identity/x509.ts'

const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY_MS = 24 * 3_600_000

export interface User {
  readonly name: string
  readonly groups?: readonly string[]
}

/** Both in PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export class Authority {
  /** In PEM. */
  readonly certificate: string
  readonly #issuer: x509.X509Certificate
  readonly #key: webcrypto.CryptoKey

  private constructor(issuer: x509.X509Certificate, key: webcrypto.CryptoKey) {
    this.certificate = issuer.toString('pem')
    this.#issuer = issuer
    this.#key = key
  }

  static async create(): Promise<Authority> {
    const { privateKey, publicKey } = makeKeys()
    const keys = { privateKey: privateKey.toCryptoKey(signing, false, ['sign']), publicKey: verifying(publicKey) }
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...forSomeDays(),
      keys,
      name: 'CN=kubernetes',
      signingAlgorithm: signing,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      ],
    })
    return new Authority(certificate, keys.privateKey)
  }

  /** What `user` shows to the API server. */
  issueClient({ name, groups = [] }: User): Promise<KeyPair> {
    const subject = [{ CN: [name] }, ...(groups.length > 0 ? [{ O: [...groups] }] : [])]
    return this.#issue(subject, [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])])
  }

  /** @param names host names and IP addresses by which clients call the server */
  issueServer(names: readonly string[]): Promise<KeyPair> {
    const known = names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }))
    return this.#issue(
      [{ CN: [names[0] ?? ''] }],
      [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(known),
      ],
    )
  }

  async #issue(subject: x509.JsonName, extensions: x509.Extension[]): Promise<KeyPair> {
    const { privateKey, publicKey } = makeKeys()
    const certificate = await x509.X509CertificateGenerator.create({
      ...forSomeDays(),
      publicKey: verifying(publicKey),
      signingKey: this.#key,
      signingAlgorithm: signing,
      issuer: this.#issuer.subjectName,
      subject,
      extensions: [new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true), ...extensions],
    })
    return { certificate: certificate.toString('pem'), key: pemOf(privateKey) }
  }
}

/** The key with which an API server signs the tokens of service accounts. In PEM. */
export function makeTokenKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = makeKeys()
  return { privateKey: pemOf(privateKey), publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString() }
}

type Keys = ReturnType<typeof makeKeys>

function makeKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function verifying(key: Keys['publicKey']): webcrypto.CryptoKey {
  return key.toCryptoKey(signing, true, ['verify'])
}

function pemOf(key: Keys['privateKey']): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString()
}

/** Tests move clocks by a few minutes. */
function forSomeDays() {
  const nowMs = Date.now()
  return {
    serialNumber: randomBytes(8).toString('hex'),
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + 30 * DAY_MS),
  }
}
