import { createPrivateKey } from 'node:crypto'
import { type Clock, NsmError } from '../base/index.ts'
import { Authority, type AuthorityMaterial, createAuthorityMaterial } from './authority.ts'
import type { SecretPlace } from './secret-file.ts'

export interface OpenAuthorityOptions {
  readonly place: SecretPlace
  readonly trustDomain: string
  readonly clock: Clock
}

export interface OpenedAuthority {
  readonly authority: Authority
  /** Whether it was made now. */
  readonly isNew: boolean
}

/**
 * Opens the authority that is kept as key and certificate in PEM, or creates one if there is none.
 *
 * @throws {NsmError} `failed_precondition` when something else is kept there. It is never replaced, because every
 *   identity of the domain depends on it.
 */
export async function openAuthority({ place, trustDomain, clock }: OpenAuthorityOptions): Promise<OpenedAuthority> {
  const { text, isNew } = await place.open(async () => format(await createAuthorityMaterial(trustDomain, clock)))
  const authority = new Authority(parse(text, place.name), clock)
  if (authority.trustDomain === trustDomain) return { authority, isNew }
  throw new NsmError('failed_precondition', 'Cannot open the authority: it belongs to another trust domain', {
    fields: { place: place.name, found: authority.trustDomain, wanted: trustDomain },
    next: 'set NSM_DOMAIN to the domain of this state, or begin with an empty state',
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

function parse(pem: string, place: string): AuthorityMaterial {
  const certificate = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(pem)?.[1]
  try {
    if (certificate === undefined) throw new Error('no certificate in it')
    return { certificate: Buffer.from(certificate, 'base64'), privateKey: createPrivateKey(pem) }
  } catch (cause) {
    throw new NsmError('failed_precondition', 'Cannot open the authority: what is kept of it is damaged', {
      cause,
      fields: { place },
      next: 'restore it from a backup',
    })
  }
}
