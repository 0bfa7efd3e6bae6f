/**
 * The records in which a domain keeps whom it trusts. What must change together is one record: a domain and what is
 * exported to it.
 *
 * INVARIANT: a record is smaller than 512 KiB, so that it fits an object of Kubernetes (about 1 MiB) and a value of
 * etcd (1.5 MiB). Largest is a domain: eight authorities of 4 KiB, eight addresses, the names of {@link MAX_EXPORTS}
 * services, {@link MAX_CONDITIONS} conditions and the names of {@link MAX_REVOKED} nodes.
 */
/** To one domain, or to every domain. */
export const MAX_EXPORTS = 1_000
/** Exports that are not for everybody, each of at most 1,024 characters. */
export const MAX_CONDITIONS = 100
/** Of one domain at a time: where there are more, every node of it counts as revoked. */
export const MAX_REVOKED = 2_000

/** What a domain says of itself to others. */
export interface Introduction {
  readonly domain: string
  /** host:port of its registry. */
  readonly addresses: readonly string[]
  /** DER certificates, newest first. */
  readonly authorities: readonly Uint8Array[]
  readonly revision: number
  /** Names of nodes that were revoked lately, and may still have an identity; or only {@link EVERY_NODE}. */
  readonly revoked: readonly string[]
}

/** Another domain that has joined. */
export interface DomainRecord {
  readonly kind: 'domain'
  readonly name: string
  /** The newest that the domain said of itself. */
  readonly introduction: Introduction
  readonly joinedMs: number
  /** Services of ours that this domain may find and request. */
  readonly exports: readonly string[]
  readonly exportedWhen?: ExportedWhen
}

/** Services that only some in the other domain may request, by name, with a CEL condition that says who. */
export type ExportedWhen = Readonly<Record<string, string>>

/** A run of a node daemon, as it introduces itself. */
export interface NodeRun {
  /** Where other nodes call it. */
  readonly url: string
  /** Random, of this run; empty for a node of 0.2 and earlier, which is told apart by its URL. */
  readonly instance: string
}

/** A run that wants the name of a node while another one has it. */
export interface Namesake extends NodeRun {
  /** When it has asked for the name. */
  readonly askedMs: number
  /** The same time, once the replica to which the first run is connected has answered; or that of the time before. */
  readonly answeredMs?: number
}

/** A node of this domain, also after it was revoked. */
export interface NodeRecord {
  readonly kind: 'node'
  readonly name: string
  readonly joinedMs: number
  readonly renewedMs: number
  readonly revokedMs: number | undefined
  /** Where other nodes call it; empty before it has said so. */
  readonly url: string
  /** Of the machine at the platform that vouched for it; absent for one that joined with an invitation. */
  readonly platformUid?: string
  /** The run of its daemon that is connected to the registry. Absent: none is. */
  readonly run?: NodeRun
  readonly namesake?: Namesake
}

/** Who may join with an invitation. */
export type JoinKind = 'domain' | 'node'

/** A one-time token that was given out. Only a hash of its secret is kept: with the record, nobody can join. */
export interface InvitationRecord {
  readonly kind: 'invitation'
  /** The first half of the hash, in hexadecimal. */
  readonly name: string
  /** SHA-256 of the secret. */
  readonly hash: Uint8Array
  readonly invites: JoinKind
  /** The name of the node or domain that may join with it. */
  readonly guest: string
  readonly expiresMs: number
  readonly usedMs: number | undefined
  /** The fingerprint of the key for which it was used, if whoever used it has proven that the key is its own. */
  readonly usedBy?: string
}

/** This domain itself. There is one such record, named {@link SELF}. */
export interface SelfRecord {
  readonly kind: 'self'
  readonly name: typeof SELF
  /** What this domain last said of itself: its revision, and a digest to notice when it changes. */
  readonly introduced: { readonly revision: number; readonly digest: string } | undefined
  /** Services that every joined domain may find and request, also domains that join later. */
  readonly exports: readonly string[]
  readonly exportedWhen?: ExportedWhen
  /** After a loss of all records: until when names go only to those who had them. */
  readonly recoversUntilMs?: number
}

export const SELF = 'self'

export type TrustRecord = DomainRecord | NodeRecord | InvitationRecord | SelfRecord
export type RecordKind = TrustRecord['kind']
export type RecordOf<K extends RecordKind> = Extract<TrustRecord, { readonly kind: K }>

export function isOfKind<K extends RecordKind>(kind: K, record: TrustRecord): record is RecordOf<K> {
  return record.kind === kind
}
