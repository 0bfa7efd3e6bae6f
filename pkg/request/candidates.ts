/**
 * Where a request may go. Services and endpoints of another domain carry its name, `files@east`, and are reached at
 * that domain's nodes; those of our own are on this machine or at another node.
 */
import {
  type Call,
  type Connection,
  isPayload,
  type NetworkServiceEndpoint,
  PAYLOAD_IP,
  type Payload,
} from '../api/index.ts'
import { errorCode, NsmError, splitName } from '../base/index.ts'
import type { ConnectionRecord, Served, Target } from '../connections/index.ts'
import type { Directory, Self } from './parts.ts'

/** An endpoint that registered through this node. */
export interface LocalEndpoint extends Served {
  /** Its own, `unix:///path` or `inode://<dev>/<ino>`. */
  readonly url: string
  /** SPIFFE ID of the workload that registered it. */
  readonly owner: string
  readonly networkServiceNames: readonly string[]
}

export interface CandidateParts {
  readonly self: Self
  readonly directory: Directory
  local(endpoint: string): LocalEndpoint | undefined
}

export interface Asked {
  readonly connection: Connection
  readonly call: Call
  readonly known: ConnectionRecord | undefined
  /** Whether any endpoint will do but that of `known`. */
  readonly wantsOther: boolean
}

export interface Candidates {
  readonly targets: readonly Target[]
  readonly payload: Payload
}

/** @throws {NsmError} `not_found` when no endpoint serves the request, `unavailable` when no registry can say. */
export async function findCandidates(parts: CandidateParts, asked: Asked): Promise<Candidates> {
  const targets = await findTargets(parts, asked)
  if (targets.length > 0) return { targets, payload: await payloadOf(parts, asked) }
  const { networkService, endpointName } = asked.connection
  throw new NsmError('not_found', 'Cannot find an endpoint of the network service: no candidates', {
    fields: { networkService, ...(endpointName === '' ? {} : { endpoint: endpointName }) },
    next: 'list the endpoints with: nsmctl get endpoints',
  })
}

/** A connection that stands stays with its endpoint, also while the registry is away; a local endpoint may have moved. */
async function findTargets(parts: CandidateParts, asked: Asked): Promise<readonly Target[]> {
  const { connection, call, known, wantsOther } = asked
  const { endpointName: endpoint, networkService: service, labels } = connection
  if (known !== undefined && !wantsOther) return [localTarget(parts, known.target.endpoint) ?? known.target]
  if (endpoint !== '' && serves(parts.local(endpoint), service)) {
    return [localTarget(parts, endpoint)].filter((target) => target !== undefined)
  }
  const isFromNode = call.peer.attestation === undefined
  const endpoints =
    endpoint === '' ? await parts.directory.matching({ service, labels }, call.signal) : [await named(parts, asked)]
  const found = endpoints.map((each) => toTarget(parts, each)).filter((target) => target !== undefined)
  const targets = known === undefined ? found : besides(known.target, found)
  // A node that asks has chosen us: if we sent it on, two nodes with stale registrations could pass it back and forth.
  return isFromNode ? targets.filter(({ at }) => at === 'endpoint') : targets
}

/** Where the registry has the endpoint of a target that does not answer; undefined: there, or it cannot say. */
export async function movedTarget(
  parts: CandidateParts,
  target: Target,
  signal: AbortSignal,
): Promise<Target | undefined> {
  if (target.at !== 'node') return undefined
  try {
    const moved = toTarget(parts, await parts.directory.endpoint(target.endpoint, signal))
    return moved?.url === target.url ? undefined : moved
  } catch {
    return undefined
  }
}

/** The others, those at the same node last: what the client has lost may be the node. */
function besides({ endpoint, url }: Target, targets: readonly Target[]): readonly Target[] {
  const others = targets.filter((each) => each.endpoint !== endpoint)
  return [...others.filter((each) => each.url !== url), ...others.filter((each) => each.url === url)]
}

async function named({ directory }: CandidateParts, { connection, call }: Asked): Promise<NetworkServiceEndpoint> {
  const { endpointName: endpoint, networkService } = connection
  const found = await directory.endpoint(endpoint, call.signal)
  if (serves(found, networkService)) return found
  throw new NsmError('not_found', 'Cannot use the endpoint: it does not serve the network service', {
    fields: { endpoint, networkService },
    next: `see what it serves with: nsmctl describe endpoint ${endpoint}`,
  })
}

function serves(endpoint: { readonly networkServiceNames: readonly string[] } | undefined, service: string): boolean {
  return endpoint?.networkServiceNames.includes(service) === true
}

/** Undefined for an endpoint that the registry takes to be here and that has not registered again yet. */
function toTarget(parts: CandidateParts, { name, url }: NetworkServiceEndpoint): Target | undefined {
  const local = localTarget(parts, name)
  if (local !== undefined || url === parts.self.publicUrl) return local
  return { at: 'node', endpoint: name, url, domain: splitName(name).domain }
}

function localTarget({ local }: CandidateParts, endpoint: string): Target | undefined {
  const found = local(endpoint)
  return found === undefined ? undefined : { at: 'endpoint', endpoint, url: found.url, owner: found.owner }
}

/** The payload of the service, or, while the registry is away, what the connection carries already. */
async function payloadOf({ directory }: CandidateParts, asked: Asked): Promise<Payload> {
  const { connection, call, known } = asked
  const given = known?.connection.payload ?? connection.payload
  if (known?.connection.networkService === connection.networkService) return checkPayload(given)
  try {
    return checkPayload((await directory.service(connection.networkService, call.signal)).payload)
  } catch (error) {
    if (errorCode(error) === 'unavailable' && given !== '') return checkPayload(given)
    throw error
  }
}

function checkPayload(payload: string): Payload {
  if (isPayload(payload)) return payload
  if (payload === '') return PAYLOAD_IP
  throw new NsmError('invalid_argument', 'Cannot carry the payload: it is neither IP nor ETHERNET', {
    fields: { payload },
  })
}
