/**
 * Who may say what of a connection. Both sides of a wire write into the same message, so each field has one side whose
 * word counts; what the other side says of it is dropped, at every application that receives it. `client` is all that
 * comes with a request, `endpoint` all that comes with an answer. docs/reference/connection-fields.md is this table.
 */
import type { Connection, ConnectionContext, IpContext } from '../api/index.ts'

export type Side = 'client' | 'endpoint'

export interface FieldRule {
  readonly says: Side | 'both'
  /** Whose pod the field changes. */
  readonly changes: Side | 'both' | 'nothing'
  /** What holds for the value, and what the other side may wish. */
  readonly limits: string
}

export type FieldRules<T> = { readonly [Field in keyof T]: FieldRule }

const PREFIXES =
  'nothing forbidden, and nothing that the pod, its node or the registry needs, unless a policy allows it (docs/policy.md); nothing that a node keeps off its wires'
const WISH = 'the node of a client may pass on what the endpoint has given before'

export const ipFields: FieldRules<IpContext> = {
  srcIpAddrs: { says: 'endpoint', changes: 'client', limits: `${PREFIXES}; ${WISH}` },
  dstIpAddrs: { says: 'endpoint', changes: 'endpoint', limits: `${PREFIXES}; ${WISH}` },
  srcIpRequired: { says: 'client', changes: 'nothing', limits: '' },
  dstIpRequired: { says: 'client', changes: 'nothing', limits: '' },
  srcRoutes: {
    says: 'endpoint',
    changes: 'client',
    limits: `${PREFIXES}; a default route only if the client has asked for one here`,
  },
  dstRoutes: { says: 'endpoint', changes: 'endpoint', limits: PREFIXES },
  excludedPrefixes: {
    says: 'client',
    changes: 'nothing',
    limits:
      'at most 1,000, with those that nodes add (NSM_EXCLUDED_PREFIXES); the endpoint gives no address in them, and no route that shares one with them',
  },
  ipNeighbors: { says: 'endpoint', changes: 'nothing', limits: '' },
  extraPrefixRequests: { says: 'client', changes: 'nothing', limits: '' },
  extraPrefixes: { says: 'endpoint', changes: 'nothing', limits: '' },
  policies: {
    says: 'endpoint',
    changes: 'client',
    limits: `${PREFIXES}; a default route only for packets from the client's own addresses on the wire`,
  },
}

export const contextFields: FieldRules<Omit<ConnectionContext, 'ip'>> = {
  dnsConfigs: { says: 'endpoint', changes: 'nothing', limits: 'the client decides whether it uses them' },
  ethernet: { says: 'endpoint', changes: 'nothing', limits: '' },
  extra: {
    says: 'both',
    changes: 'nothing',
    limits:
      '`nsmesh.counted-for` is what the node of an endpoint says to it; of the rest the answer counts, and no node reads it',
  },
  mtuBytes: { says: 'both', changes: 'both', limits: 'the lowest that anybody on the path says' },
}

export const connectionFields: FieldRules<Pick<Connection, 'labels' | 'mechanism' | 'payload' | 'networkService'>> = {
  labels: {
    says: 'client',
    changes: 'nothing',
    limits:
      '`nodeName` is what the node knows: its own name, or that of the node whose certificate the request carries',
  },
  mechanism: {
    says: 'both',
    changes: 'both',
    limits: 'each neighbour for its own end: a namespace only as the kernel says, an address that a node may have',
  },
  payload: { says: 'endpoint', changes: 'both', limits: 'that of the network service in the registry' },
  networkService: { says: 'client', changes: 'nothing', limits: 'the caller must be allowed to request it' },
}
