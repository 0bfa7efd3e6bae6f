/** The steps that only an endpoint has. */
import type { Connection, ConnectionContext, Mechanism } from '../api/index.ts'
import { NsmError, type Step } from '../base/index.ts'
import type { PointToPointIpam } from '../ipam/index.ts'
import { generateInterfaceName, KERNEL, kernelParameter, LOCAL } from '../mechanism/index.ts'
import {
  type Arrived,
  type Begun,
  COUNTED_FOR,
  countedFor,
  type Incoming,
  type Owned,
  type Verified,
} from '../steps/index.ts'

/** A connection that an endpoint has accepted. */
export interface Served extends Owned {
  readonly connection: Connection
}

type Asking = Arrived & Begun<Served>

/** Our forwarder takes the namespace from the kernel's record of this process; upstream's want it named. */
const OWN_NAMESPACE = 'file:///proc/thread-self/ns/net'

export function checkService(services: readonly string[]): Step<Incoming, object, Connection> {
  return async function checkService({ request }, next) {
    const { networkService } = request.connection
    if (services.includes(networkService)) return next({})
    throw new NsmError('not_found', 'Cannot serve the request: the endpoint does not serve the network service', {
      fields: { networkService, services: services.join(',') },
    })
  }
}

/** The path ends here: segments behind ours are of an earlier request. */
export const trimPath: Step<Arrived, Pick<Arrived, 'connection'>, Connection> = async function trimPath(
  { connection },
  next,
) {
  const { index, segments } = connection.path
  return next({ connection: { ...connection, path: { index, segments: segments.slice(0, index + 1) } } })
}

/** Takes KERNEL where it is offered. The interface keeps the name that it has. */
export const selectMechanism: Step<Asking, { readonly mechanism: Mechanism }, Connection> =
  async function selectMechanism({ connection, request, known }, next) {
    const { mechanism, networkService } = connection
    const wanted = [...(mechanism === undefined ? [] : [mechanism]), ...request.mechanismPreferences]
    if (!wanted.some(({ cls, type }) => cls === LOCAL && type === KERNEL)) throw notSupported(wanted)
    const before = known?.connection.mechanism ?? mechanism
    const name = before?.parameters[kernelParameter.interfaceName] ?? generateInterfaceName(networkService)
    const parameters = { [kernelParameter.interfaceName]: name, [kernelParameter.inodeUrl]: OWN_NAMESPACE }
    return next({ mechanism: { cls: LOCAL, type: KERNEL, parameters } })
  }

/**
 * The client is whom our node counts the wire for. That is between the two of us: the answer does not carry it.
 * @param domain our own: of another one, all clients share what one may take
 */
export function leaseAddresses(
  ipam: PointToPointIpam,
  domain: string,
): Step<Asking & Pick<Verified, 'asker' | 'identities'>, { readonly context: ConnectionContext }, Connection> {
  return async function leaseAddresses({ connection: { id, context }, asker, identities: [first = asker] }, next) {
    const { [COUNTED_FOR]: client, ...extra } = context.extra
    const counted = countedFor(asker, first, domain)
    const ip = ipam.lease(id, context.ip, client ? { ...counted, client } : counted)
    return next({ context: { ...context, ip, extra } })
  }
}

function notSupported(wanted: readonly Mechanism[]): NsmError {
  return new NsmError('invalid_argument', 'Cannot support any of the requested mechanisms: only KERNEL', {
    fields: { types: wanted.map(({ type }) => type).join(',') },
  })
}
