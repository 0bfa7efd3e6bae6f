/** The variables of a condition, filled in from a question. Everything is text, so that every comparison has an answer. */
import { type Labels, parseSpiffeId } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import { type Prefix, parsePrefix } from '../../net/index.ts'
import type { Question } from '../question.ts'
import { nodeNameOf, registryId } from '../roles.ts'

export const MAX_LABELS = 64
const MAX_LABEL_CHARS = 256
/** A registered name, `@` and a domain. */
const MAX_NAME_CHARS = 320

/** A verified SPIFFE ID, taken apart. Parts that it does not have are empty. */
export class PolicyIdentity {
  readonly id: string
  readonly domain: string
  /** Begins with `/`. */
  readonly path: string
  readonly kind: 'registry' | 'node' | 'workload'
  readonly node: string
  readonly uid: string
  readonly ns: string
  readonly sa: string

  /** @throws {NsmError} `invalid_argument` when it is not in canonical form */
  constructor(spiffeId: string) {
    const { id, trustDomain, path } = parseSpiffeId(spiffeId)
    const [, first = '', node = ''] = path.split('/')
    const isOfNode = first === 'node'
    this.id = id
    this.domain = trustDomain
    this.path = path
    this.kind = kindOf(id, trustDomain)
    this.node = isOfNode ? node : ''
    this.uid = isOfNode ? partOf(path, 'uid') : ''
    this.ns = partOf(path, 'ns')
    this.sa = partOf(path, 'sa')
  }
}

/** What nobody has verified. */
export class PolicyClaims {
  readonly #given: Labels
  #labels: ReadonlyMap<string, string> | undefined

  constructor(labels: Labels) {
    this.#given = labels
  }

  /** Only conditions that read labels pay for them. @throws {NsmError} `resource_exhausted` for more than is weighed */
  get labels(): ReadonlyMap<string, string> {
    this.#labels ??= readLabels(this.#given)
    return this.#labels
  }
}

export interface Facts {
  readonly action: string
  readonly domain: string
  readonly caller: PolicyIdentity
  readonly client: PolicyIdentity
  readonly service: string
  readonly endpoint: string
  readonly payload: string
  readonly mechanism: string
  readonly operation: string
  readonly claimed: PolicyClaims
  /** No variable: rules name their prefixes beside the condition. */
  readonly prefix: Prefix | undefined
}

/** @throws {NsmError} when an identity is not canonical, or a name too long: then nothing may be decided. */
export function factsOf(question: Question, domain: string): Facts {
  const { action, caller, client = caller, service = '', endpoint = '' } = question
  const { payload = '', mechanism = '', operation = '', labels = {}, prefix: text = '' } = question
  for (const name of [service, endpoint, payload, mechanism, operation]) checkLength(name, MAX_NAME_CHARS)
  const callers = new PolicyIdentity(caller)
  const clients = client === caller ? callers : new PolicyIdentity(client)
  const named = { action, domain, service, endpoint, payload, mechanism, operation }
  const prefix = text === '' ? undefined : parsePrefix(text)
  return { ...named, caller: callers, client: clients, claimed: new PolicyClaims(labels), prefix }
}

function kindOf(id: string, domain: string): PolicyIdentity['kind'] {
  if (id === registryId(domain)) return 'registry'
  return nodeNameOf(id, domain) === undefined ? 'workload' : 'node'
}

/** The value after `key` in a path of keys and values: `/node/n1/uid/1000`, `/ns/shop/sa/web`. */
function partOf(path: string, key: string): string {
  const segments = path.split('/').slice(1)
  const at = segments.findIndex((segment, index) => index % 2 === 0 && segment === key)
  return at < 0 ? '' : (segments[at + 1] ?? '')
}

function readLabels(given: Labels): ReadonlyMap<string, string> {
  const entries = Object.entries(given)
  if (entries.length > MAX_LABELS) throw tooLarge('labels', entries.length, MAX_LABELS)
  for (const text of entries.flat()) checkLength(text, MAX_LABEL_CHARS)
  return new Map(entries)
}

function checkLength(text: string, max: number): void {
  if (text.length > max) throw tooLarge('text', text.length, max)
}

function tooLarge(what: string, size: number, max: number): NsmError {
  return new NsmError('resource_exhausted', 'Cannot weigh the request by a policy: it is too large', {
    fields: { what, size, max },
  })
}
