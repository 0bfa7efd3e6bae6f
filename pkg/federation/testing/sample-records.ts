/** One record of each kind. */
import type { DomainRecord, InvitationRecord, NodeRecord, SelfRecord } from '../store/trust-record.ts'

export const node = (name: string, renewedMs = 0): NodeRecord => {
  return {
    kind: 'node',
    name,
    joinedMs: 1_800_000_000_123,
    renewedMs,
    revokedMs: undefined,
    url: 'tcp://192.0.2.1:5001',
  }
}

export const domain: DomainRecord = {
  kind: 'domain',
  name: 'west',
  introduction: {
    domain: 'west',
    addresses: ['west.test:5002', '[2001:db8::1]:5002'],
    authorities: [new Uint8Array([48, 0, 255]), new Uint8Array(4_096).fill(7)],
    revision: 1_800_000_000_456,
    revoked: ['n7'],
  },
  joinedMs: 1_800_000_000_789,
  exports: ['db', 'files'],
}

export const invitation: InvitationRecord = {
  kind: 'invitation',
  name: '00ff',
  hash: new Uint8Array(32).fill(200),
  invites: 'node',
  guest: 'n1',
  expiresMs: 1_800_000_000_000,
  usedMs: undefined,
}

export const self: SelfRecord = { kind: 'self', name: 'self', introduced: undefined, exports: [] }
