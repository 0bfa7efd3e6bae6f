/** Records as JSON, which is what stores keep, without kind and name, which stores keep beside it. */
import { NsmError } from '../../base/index.ts'
import { type Introduction, type InvitationRecord, SELF, type TrustRecord } from './trust-record.ts'

export function encodeRecord(record: TrustRecord): string {
  const { kind, name, ...body } = record
  return JSON.stringify({ ...body, ...encodedParts(record) })
}

/** @throws {NsmError} `internal` for a kind of record that this version does not know. */
export function decodeRecord(kind: string, name: string, text: string): TrustRecord {
  const body = JSON.parse(text)
  switch (kind) {
    case 'domain':
      return { ...body, kind, name, introduction: decodeIntroduction(name, body.introduction) }
    case 'node':
      return { ...body, kind, name, revokedMs: body.revokedMs ?? undefined, url: body.url ?? '' }
    case 'invitation':
      return decodeInvitation(name, body)
    case 'self':
      return { ...body, kind, name: SELF, introduced: body.introduced ?? undefined }
    default:
      throw new NsmError('internal', 'Cannot read the trust store: it holds an unknown kind of record', {
        fields: { kind, name },
      })
  }
}

/** The parts of a record that JSON has no form for. */
function encodedParts(record: TrustRecord): object {
  if (record.kind === 'domain') {
    const { domain: _, authorities, ...rest } = record.introduction
    return { introduction: { ...rest, authorities: authorities.map((der) => encodeBytes(der, 'base64')) } }
  }
  return record.kind === 'invitation' ? { hash: encodeBytes(record.hash, 'hex') } : {}
}

interface EncodedInvitation extends Omit<InvitationRecord, 'kind' | 'name' | 'hash'> {
  readonly hash: string
  /** What version 0.1 wrote for `guest`: empty for domains, so that no domain can join with its invitations. */
  readonly node?: string
}

function decodeInvitation(name: string, { node = '', guest = node, hash, usedMs, ...rest }: EncodedInvitation) {
  const kind = 'invitation' as const
  return { ...rest, kind, name, guest, hash: decodeBytes(hash, 'hex'), usedMs: usedMs ?? undefined }
}

interface EncodedIntroduction {
  readonly addresses: readonly string[]
  readonly authorities: readonly string[]
  readonly revision: number
  /** Absent in what version 0.2 wrote. */
  readonly revoked?: readonly string[]
}

function decodeIntroduction(domain: string, encoded: EncodedIntroduction): Introduction {
  const { authorities, revoked = [], ...rest } = encoded
  return { ...rest, domain, revoked, authorities: authorities.map((text) => decodeBytes(text, 'base64')) }
}

function encodeBytes(bytes: Uint8Array, encoding: 'base64' | 'hex'): string {
  return Buffer.from(bytes).toString(encoding)
}

function decodeBytes(text: string, encoding: 'base64' | 'hex'): Uint8Array {
  return new Uint8Array(Buffer.from(text, encoding))
}
