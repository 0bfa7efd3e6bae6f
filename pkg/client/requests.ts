import {
  type Connection,
  type ConnectionRequest,
  emptyContext,
  type Labels,
  LOCAL,
  type Mechanism,
  parameter,
} from '../api/index.ts'
import type { NsmUrl } from './nsm-url.ts'

/** What a workload wants, and as whom. */
export interface WantedWire {
  /** Name of the client: the first segment of the path. */
  readonly client: string
  /** Id of the connection at the client. It stays the same after a restart, so that the mesh finds the wire again. */
  readonly id: string
  readonly url: NsmUrl
  /** Labels of the client, in addition to those of the URL. */
  readonly labels: Labels
}

/** The client's own network namespace, for peers that cannot learn it from the kernel. */
const OWN_NAMESPACE = 'file:///proc/thread-self/ns/net'

export function firstRequest(wanted: WantedWire): ConnectionRequest {
  const { client, id, url } = wanted
  const connection: Connection = {
    id,
    networkService: url.service,
    mechanism: undefined,
    context: emptyContext,
    labels: { ...wanted.labels, ...url.labels },
    path: { index: 0, segments: [{ name: client, id, token: '', expiresMs: undefined, metrics: {} }] },
    endpointName: '',
    payload: '',
    state: 'UP',
  }
  return { connection, mechanismPreferences: preferences(url) }
}

/** Requests the wire as it stands: the peers keep what they know of it. */
export function refreshRequest(connection: Connection): ConnectionRequest {
  return { connection: { ...connection, state: 'UP' }, mechanismPreferences: mechanisms(connection) }
}

/** Requests the same service again, from any endpoint. */
export function reselectRequest(connection: Connection, url: NsmUrl): ConnectionRequest {
  const anew: Connection = { ...connection, mechanism: undefined, endpointName: '', state: 'RESELECT_REQUESTED' }
  return { connection: anew, mechanismPreferences: preferences(url) }
}

function preferences(url: NsmUrl): readonly Mechanism[] {
  const name = url.interfaceName === '' ? {} : { [parameter.interfaceName]: url.interfaceName }
  return [{ cls: LOCAL, type: url.mechanismType, parameters: { ...name, [parameter.inodeUrl]: OWN_NAMESPACE } }]
}

function mechanisms(connection: Connection): readonly Mechanism[] {
  return connection.mechanism === undefined ? [] : [connection.mechanism]
}
