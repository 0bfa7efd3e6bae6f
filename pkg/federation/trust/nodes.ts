/** The rules by which nodes join, stay and are revoked. Each is one change of one record. */
import { errorCode, NsmError } from '../../base/index.ts'
import type { NodeRecord } from '../store/trust-record.ts'
import type { TrustRecords } from './trust-records.ts'

/** Every identity that was issued before a node was revoked has expired after this time. */
export const LONGEST_SVID_MS = 3_600_000

/** @throws {NsmError} `failed_precondition` while a revoked node of that name may still have a valid identity. */
export function checkNodeMayJoin(known: NodeRecord | undefined, nowMs: number): void {
  if (known?.revokedMs === undefined || nowMs - known.revokedMs > LONGEST_SVID_MS) return
  const minutesLeft = Math.ceil((known.revokedMs + LONGEST_SVID_MS - nowMs) / 60_000)
  throw new NsmError('failed_precondition', 'Cannot invite the node: a node of that name was just revoked', {
    fields: { node: known.name, minutesLeft },
    next: 'use another name, or wait until the identities of the old node have expired',
  })
}

/** @throws {NsmError} as {@link checkNodeMayJoin} does. */
export async function admitNode(records: TrustRecords, name: string, nowMs: number): Promise<void> {
  await records.change('node', name, (known) => {
    checkNodeMayJoin(known, nowMs)
    const joined = { kind: 'node', name, joinedMs: nowMs, renewedMs: nowMs, url: known?.url ?? '' } as const
    // Which machine is connected at another replica is known by the record alone.
    const run = known?.revokedMs === undefined ? known?.run : undefined
    return { ...joined, revokedMs: undefined, ...(run === undefined ? {} : { run }) }
  })
}

/** A node for which its platform vouches, each time that it asks for an identity. */
export interface OfPlatform {
  readonly name: string
  readonly uid: string
  readonly nowMs: number
}

/**
 * Its platform goes on to vouch for a node that was revoked, so that it stays out until its machine is set up anew.
 * @throws {NsmError} `permission_denied`; `failed_precondition` as {@link checkNodeMayJoin} does
 */
export function checkMayJoinOfPlatform(known: NodeRecord | undefined, { uid, nowMs }: Omit<OfPlatform, 'name'>): void {
  if (known !== undefined && known.revokedMs === undefined && known.platformUid === undefined) {
    throw new NsmError('already_exists', 'Cannot join the domain: a node that was invited has that name', {
      fields: { node: known.name },
      next: `revoke it, if it is not needed any more: nsmctl node revoke ${known.name}`,
    })
  }
  if (known?.revokedMs === undefined || known.platformUid !== uid) {
    checkNodeMayJoin(known, nowMs)
    return
  }
  throw new NsmError('permission_denied', 'Cannot join the domain: the node was revoked', {
    fields: { node: known.name },
    next: 'set the machine up anew, and remove its Node object: it then joins by itself',
  })
}

/** @returns whether it was a member before. @throws {NsmError} as {@link checkMayJoinOfPlatform} does */
export async function admitOfPlatform(records: TrustRecords, { name, uid, nowMs }: OfPlatform): Promise<boolean> {
  let isMember = false
  await records.change('node', name, (known) => {
    checkMayJoinOfPlatform(known, { uid, nowMs })
    isMember = known?.platformUid === uid
    if (known !== undefined && isMember) return { ...known, renewedMs: nowMs }
    const url = known?.url ?? ''
    return { kind: 'node', name, joinedMs: nowMs, renewedMs: nowMs, revokedMs: undefined, url, platformUid: uid }
  })
  return isMember
}

export interface JoiningAgain {
  readonly name: string
  /** When it used its token. */
  readonly usedMs: number
  readonly nowMs: number
}

/**
 * Admits a node that joins again with its token, because it has not got the answer.
 * @throws {NsmError} `failed_precondition` when it was revoked, or has joined with another token, since.
 */
export async function admitAgain(records: TrustRecords, { name, usedMs, nowMs }: JoiningAgain): Promise<void> {
  const known = records.get('node', name)
  if (known === undefined) return await admitNode(records, name, nowMs)
  if (known.revokedMs === undefined && known.joinedMs <= usedMs) return
  throw new NsmError('failed_precondition', 'Cannot join the domain: the token was used already', {
    fields: { node: name },
    next: `a token is good once and for a limited time; make a new one: nsmctl node invite ${name}`,
  })
}

/**
 * How long after its end an identity can still be renewed by its node. A shorter time would end nodes whose registry was
 * away; a longer one would let old backups of a node back in.
 */
export const LATE_RENEWAL_MS = 30 * 24 * 3_600_000

/** X.509 times have a resolution of one second. */
const RESOLUTION_MS = 1_000

export interface Renewal {
  readonly name: string
  /** When the identity that is renewed ends, or has ended. */
  readonly expiresMs: number
  readonly nowMs: number
}

/**
 * Notes that a node has renewed its identity. On a full disk, members go on all the same: nothing is granted by the note.
 * @throws {NsmError} `permission_denied` when the node is unknown or revoked, or the identity is not its own any more.
 */
export async function renewNode(records: TrustRecords, renewal: Renewal): Promise<void> {
  const { name, nowMs } = renewal
  try {
    await records.change('node', name, (known) => ({ ...renewing(known, renewal), renewedMs: nowMs }))
  } catch (error) {
    if (errorCode(error) !== 'resource_exhausted') throw error
    renewing(records.get('node', name), renewal)
  }
}

/** By its identity alone. One that its platform vouches for would outlive its machine. */
function renewing(known: NodeRecord | undefined, renewal: Renewal): NodeRecord {
  const { name } = renewal
  const node = member(known, name)
  checkStillItsOwn(node, renewal)
  if (node.platformUid === undefined) return node
  throw new NsmError('permission_denied', 'Cannot renew the identity: the node has to show the token of its platform', {
    fields: { node: name },
    next: 'set NSM_NODE_TOKEN_FILE of nsmd, as the manifests do',
  })
}

/**
 * Not the identity of a node that has joined again since: the name is that of another machine now, or of another state
 * directory, and whoever has the former key would otherwise keep it for ever.
 */
function checkStillItsOwn({ joinedMs }: NodeRecord, { name, expiresMs, nowMs }: Renewal): void {
  const issuedMs = expiresMs - LONGEST_SVID_MS
  if (issuedMs + RESOLUTION_MS >= joinedMs && nowMs - expiresMs <= LATE_RENEWAL_MS) return
  throw new NsmError('permission_denied', 'Cannot renew the identity: it is too old, or the node has joined again', {
    fields: { node: name, expires: new Date(expiresMs).toISOString() },
    next: `join again with a new token: nsmctl node invite ${name}`,
  })
}

function member(known: NodeRecord | undefined, name: string): NodeRecord {
  if (known !== undefined && known.revokedMs === undefined) return known
  throw new NsmError('permission_denied', 'Cannot renew the identity: the node is not a member of this domain', {
    fields: { node: name },
    next: `join again with a new token: nsmctl node invite ${name}`,
  })
}

/** A node whose identity another agent has issued is a member from the first time that it is seen. */
export async function noteNode(records: TrustRecords, name: string, nowMs: number): Promise<void> {
  await records.change('node', name, (known) =>
    known?.revokedMs === undefined
      ? { kind: 'node', name, joinedMs: nowMs, revokedMs: undefined, url: '', ...known, renewedMs: nowMs }
      : known,
  )
}

/** Revokes a node; one that is revoked already stays so. @throws {NsmError} `not_found` */
export async function revokeNode(records: TrustRecords, name: string, nowMs: number): Promise<void> {
  await records.change('node', name, (known) => {
    if (known?.revokedMs !== undefined) return known
    if (known !== undefined) return { ...known, revokedMs: nowMs }
    throw new NsmError('not_found', 'Cannot revoke the node: no node has that name', {
      fields: { node: name.slice(0, 64) },
      next: 'nsmctl get nodes lists the nodes of this domain',
    })
  })
}
