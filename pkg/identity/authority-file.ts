import { createPrivateKey } from 'node:crypto'
import { type Clock, NsmError } from '../base/index.ts'
import { Authority, type AuthorityMaterial, createAuthorityMaterial } from './authority.ts'
import { certificateOfPem, certificatePem } from './pem.ts'
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
  return `${privateKey.export({ format: 'pem', type: 'pkcs8' })}${certificatePem(certificate)}`
}

function parse(pem: string, place: string): AuthorityMaterial {
  try {
    const certificate = certificateOfPem(pem)
    if (certificate === undefined) throw new Error('no certificate in it')
    return { certificate, privateKey: createPrivateKey(pem) }
  } catch (cause) {
    throw new NsmError('failed_precondition', 'Cannot open the authority: what is kept of it is damaged', {
      cause,
      fields: { place },
      next: 'restore it from a backup',
    })
  }
}
