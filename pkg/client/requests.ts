import {
  type Connection,
  type ConnectionContext,
  type ConnectionRequest,
  emptyContext,
  type Labels,
  type Mechanism,
} from '../api/index.ts'
import { kernelParameter, LOCAL, type NsmUrl } from '../mechanism/index.ts'

/** The wire that a workload wants, and the client that requests it. */
export interface WantedWire {
  /** The name of the client, which becomes the first segment of the path. */
  readonly client: string
  /** The client's id of the connection. It must be the same after a restart, so that the wire is recognized. */
  readonly id: string
  readonly url: NsmUrl
  /** Labels of the client, in addition to those of the URL. */
  readonly labels: Labels
}

/** The network namespace of the client, for peers that cannot learn it from the kernel. */
const OWN_NAMESPACE = 'file:///proc/thread-self/ns/net'

export function firstRequest(wanted: WantedWire): ConnectionRequest {
  const { client, id, url } = wanted
  const connection: Connection = {
    id,
    networkService: url.service,
    mechanism: undefined,
    context: asking(emptyContext, url),
    labels: { ...wanted.labels, ...url.labels },
    path: { index: 0, segments: [{ name: client, id, token: '', expiresMs: undefined, metrics: {} }] },
    endpointName: '',
    payload: '',
    state: 'UP',
  }
  return { connection, mechanismPreferences: preferences(url) }
}

/** Refreshes the connection as it is. */
export function refreshRequest(connection: Connection): ConnectionRequest {
  return { connection: { ...connection, state: 'UP' }, mechanismPreferences: mechanisms(connection) }
}

/** Requests the same service again, from any endpoint. */
export function reselectRequest(connection: Connection, url: NsmUrl): ConnectionRequest {
  const context = asking(connection.context, url)
  const reselected: Connection = {
    ...connection,
    context,
    mechanism: undefined,
    endpointName: '',
    state: 'RESELECT_REQUESTED',
  }
  return { connection: reselected, mechanismPreferences: preferences(url) }
}

/** A client asks for a default route by sending it. */
function asking(context: ConnectionContext, { defaultRoutes }: NsmUrl): ConnectionContext {
  const asked = defaultRoutes.map((prefix) => ({ prefix, nextHop: '' }))
  const others = context.ip.srcRoutes.filter(({ prefix }) => !defaultRoutes.includes(prefix))
  return { ...context, ip: { ...context.ip, srcRoutes: [...others, ...asked] } }
}

function preferences(url: NsmUrl): readonly Mechanism[] {
  const name = url.interfaceName === '' ? {} : { [kernelParameter.interfaceName]: url.interfaceName }
  return [{ cls: LOCAL, type: url.mechanismType, parameters: { ...name, [kernelParameter.inodeUrl]: OWN_NAMESPACE } }]
}

function mechanisms(connection: Connection): readonly Mechanism[] {
  return connection.mechanism === undefined ? [] : [connection.mechanism]
}
