/** Holds what the far sides say of a connection to the table of fields: one step for requests, one for answers. */
import {
  type Call,
  type Connection,
  type ConnectionContext,
  emptyContext,
  type IpContext,
  type Route,
} from '../api/index.ts'
import { NsmError, type Step } from '../base/index.ts'
import { lowestMtuBytes } from '../mechanism/index.ts'
import { isDefaultRoute, parsePrefix } from '../net/index.ts'
import { contextFields, type FieldRules, ipFields, type Side } from './context-fields.ts'
import type { Begun, Owned } from './lifetime.ts'
import type { Arrived } from './path.ts'

export const MAX_EXCLUDED_PREFIXES = 1_000

/** Of a connection as one side says it, path and tokens included: every application keeps it for as long as it stands. */
const MAX_CONNECTION_CHARS = 64 * 1024

export interface LimitRequestParts<Known extends Owned> {
  /** The context of a connection that stands, as the endpoint has answered it. */
  contextOf(known: Known): ConnectionContext
  /** Whether the caller may pass on the addresses of a connection that does not stand here. */
  mayWish(call: Call): boolean
  /** What this application keeps off the wire, besides what the client excludes. */
  excludedPrefixes?(): readonly string[]
}

/** Drops what is the endpoint's to say; a connection that stands keeps what the endpoint has said. */
export function limitRequest<Known extends Owned>(
  parts: LimitRequestParts<Known>,
): Step<Arrived & Begun<Known>, Pick<Arrived, 'connection'>, Connection> {
  return async function limitRequest({ connection, call, known }, next) {
    const asked = connection.context
    checkSize(connection)
    const excludedPrefixes = [...new Set([...asked.ip.excludedPrefixes, ...(parts.excludedPrefixes?.() ?? [])])]
    checkExcluded(excludedPrefixes)
    const given = known === undefined ? emptyContext : parts.contextOf(known)
    const limited = merge('client', asked, given)
    const wished = known === undefined && parts.mayWish(call) ? addressesOf(asked.ip) : {}
    const srcRoutes = withDefaults(limited.ip.srcRoutes, asked.ip.srcRoutes)
    const ip = { ...limited.ip, ...wished, srcRoutes, excludedPrefixes }
    const answer = await next({ connection: { ...connection, context: { ...limited, ip } } })
    return excluding(asked.ip.excludedPrefixes, answer)
  }
}

/** Drops what is the client's to say: of that, the answer is what was asked. */
export const limitAnswer: Step<
  { readonly connection: Connection; readonly answer: Connection },
  { readonly answer: Connection },
  Connection
> = async function limitAnswer({ connection, answer }, next) {
  checkSize(answer)
  const context = merge('endpoint', answer.context, connection.context)
  const mtuBytes = lowestMtuBytes(answer.context.mtuBytes, connection.context.mtuBytes) ?? 0
  return next({ answer: { ...answer, context: { ...context, mtuBytes }, labels: connection.labels } })
}

/** The families for which the client has asked for a default route. */
export function wantsDefault({ srcRoutes }: IpContext): ReadonlySet<number> {
  const prefixes = srcRoutes.map(({ prefix }) => parsePrefix(prefix))
  return new Set(prefixes.filter(isDefaultRoute).map(({ family }) => family))
}

/** What `side` may say is taken from `said`, the rest from `standing`. */
function merge(side: Side, said: ConnectionContext, standing: ConnectionContext): ConnectionContext {
  const { ip: saidIp, ...saidRest } = said
  const { ip: standingIp, ...standingRest } = standing
  return {
    ...pick(contextFields, side, { said: saidRest, standing: standingRest }),
    ip: pick(ipFields, side, { said: saidIp, standing: standingIp }),
  }
}

function pick<T extends object>(rules: FieldRules<T>, side: Side, from: { readonly said: T; readonly standing: T }): T {
  const picked = { ...from.standing }
  for (const field in picked) {
    const { says } = rules[field]
    if (says === side || says === 'both') picked[field] = from.said[field]
  }
  return picked
}

/** The client hears what it has said itself: what else is kept off the wire may be something else at its next refresh. */
function excluding(excludedPrefixes: readonly string[], answer: Connection): Connection {
  return { ...answer, context: { ...answer.context, ip: { ...answer.context.ip, excludedPrefixes } } }
}

function addressesOf({ srcIpAddrs, dstIpAddrs }: IpContext): Pick<IpContext, 'srcIpAddrs' | 'dstIpAddrs'> {
  return { srcIpAddrs, dstIpAddrs }
}

/** A client asks for a default route by sending one. */
function withDefaults(routes: readonly Route[], asked: readonly Route[]): readonly Route[] {
  const wished = asked.filter(({ prefix }) => isDefaultRoute(parsePrefix(prefix)))
  const isNew = (route: Route) => !routes.some(({ prefix }) => prefix === route.prefix)
  return [...routes, ...wished.filter(isNew).map(({ prefix }) => ({ prefix, nextHop: '' }))]
}

function checkSize({ labels, context, path }: Connection): void {
  const characters = JSON.stringify([labels, context, path]).length
  if (characters <= MAX_CONNECTION_CHARS) return
  throw new NsmError('invalid_argument', 'Cannot take the connection: it says too much', {
    fields: { characters, most: MAX_CONNECTION_CHARS },
    next: 'use fewer or shorter labels, routes and extra context',
  })
}

function checkExcluded(excludedPrefixes: readonly string[]): void {
  if (excludedPrefixes.length <= MAX_EXCLUDED_PREFIXES) return
  throw new NsmError('invalid_argument', 'Cannot accept the request: it excludes too many prefixes', {
    fields: { prefixes: excludedPrefixes.length, most: MAX_EXCLUDED_PREFIXES },
    next: 'exclude wider prefixes that contain these',
  })
}
