import { createPrivateKey } from 'node:crypto'
import { type Clock, NsmError } from '../base/index.ts'
import { Authority, type AuthorityMaterial, createAuthorityMaterial } from './authority.ts'
import { readSecretFile, writeSecretFile } from './secret-file.ts'

/**
 * Opens the authority in the file `path` (key and certificate as PEM, mode 0600), or creates one if there is no file.
 *
 * @throws {NsmError} `failed_precondition` when the file contains anything else. It is never replaced, because every
 *   identity of the domain depends on it.
 */
export async function openAuthority(path: string, trustDomain: string, clock: Clock): Promise<Authority> {
  const kept = await readSecretFile(path)
  const material = kept === undefined ? await createAuthorityMaterial(trustDomain, clock) : parse(kept, path)
  if (kept === undefined) await writeSecretFile(path, format(material))
  const authority = new Authority(material, clock)
  if (authority.trustDomain === trustDomain) return authority
  throw new NsmError('failed_precondition', 'Cannot open the authority: it belongs to another trust domain', {
    fields: { path, found: authority.trustDomain, wanted: trustDomain },
    next: 'set NSM_DOMAIN to the domain of this state, or use an empty state directory',
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
    if (certificate === undefined) throw new Error('no certificate in the file')
    return { certificate: Buffer.from(certificate, 'base64'), privateKey: createPrivateKey(pem) }
  } catch (cause) {
    throw new NsmError('failed_precondition', 'Cannot open the authority: its file is damaged', {
      cause,
      fields: { path },
      next: 'restore the file from a backup',
    })
  }
}
