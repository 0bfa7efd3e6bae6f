/** What a policy is asked, and what it answers. */
import type { Labels } from '../api/index.ts'
import { registryId } from './roles.ts'

/**
 * request     a client wants a wire to a network service
 * serve       a workload registers a network service or an endpoint of one
 * watch       somebody looks up a service or an endpoint, or monitors a wire
 * administer  somebody uses what only administrators of a node may
 * federate    a service is shared with another domain, in either direction
 * route       a wire gets a prefix that no wire has by default
 */
export const ACTIONS = ['request', 'serve', 'watch', 'administer', 'federate', 'route'] as const
export type Action = (typeof ACTIONS)[number]

/** INVARIANT: identities in a question are verified. All that somebody only says of itself is in `labels`. */
export interface Question {
  readonly action: Action
  /** SPIFFE ID of the peer of the call; for `federate` that of the registry of the other domain. */
  readonly caller: string
  /** SPIFFE ID of the first identity that the path proves; left out where that is the caller. */
  readonly client?: string | undefined
  /** As NSM writes it: `files`, or `files@east` for a service of another domain. */
  readonly service?: string
  readonly endpoint?: string
  /** What the client, or the endpoint that registers, says of itself. */
  readonly labels?: Labels
  readonly payload?: string
  /** NSM's name for how the caller is joined to this node, such as KERNEL or WIREGUARD. */
  readonly mechanism?: string
  /** For `administer`: the method that is called. */
  readonly operation?: string
  /** For `route`: the prefix, without host bits. */
  readonly prefix?: string
  /** What holds where no rule decides. */
  readonly isAllowedByDefault: boolean
}

/** Whether this domain shares `service` with another domain; without a service, whether it joins it at all. */
export function federateQuestion(domain: string, service = ''): Question {
  return { action: 'federate', caller: registryId(domain), service, isAllowedByDefault: true }
}

export interface Decision {
  readonly isAllowed: boolean
  /** The name of the rule that decided; empty where none did. */
  readonly rule: string
  /** Why, in plain words: completes "allowed: …" and "denied: …". */
  readonly reason: string
}
