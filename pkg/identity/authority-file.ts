import { createPrivateKey } from 'node:crypto'
import { type Clock, NsmError } from '../base/index.ts'
import { Authority, type AuthorityMaterial, createAuthorityMaterial } from './authority.ts'
import { readSecretFile, writeSecretFile } from './secret-file.ts'

/**
 * Opens the authority that `path` keeps, key and certificate in PEM with mode 0600, or makes one where there is none.
 *
 * @throws {NsmError} `failed_precondition` when the file holds something else: never replaced, since every identity of
 *   the domain hangs on it
 */
export async function openAuthority(path: string, trustDomain: string, clock: Clock): Promise<Authority> {
  const kept = await readSecretFile(path)
  const material = kept === undefined ? await createAuthorityMaterial(trustDomain, clock) : parse(kept, path)
  if (kept === undefined) await writeSecretFile(path, format(material))
  const authority = new Authority(material, clock)
  if (authority.trustDomain === trustDomain) return authority
  throw new NsmError('failed_precondition', 'Cannot open authority: it is of another trust domain', {
    fields: { path, found: authority.trustDomain, wanted: trustDomain },
    next: 'Set NSM_DOMAIN to the domain that this state belongs to, or use an empty state directory',
  })
}

function format({ certificate, privateKey }: AuthorityMaterial): string {
  const lines = (
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' })
  return `${key}-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

function parse(pem: string, path: string): AuthorityMaterial {
  const certificate = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(pem)?.[1]
  try {
    if (certificate === undefined) throw new Error('No certificate in it')
    return { certificate: Buffer.from(certificate, 'base64'), privateKey: createPrivateKey(pem) }
  } catch (cause) {
    throw new NsmError('failed_precondition', 'Cannot open authority: its file is damaged', {
      cause,
      fields: { path },
      next: 'Restore the file from a backup',
    })
  }
}
