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
  /** Of the connection at the client; the same after a restart, so that the wire is found again. */
  readonly id: string
  readonly url: NsmUrl
  /** Labels of the client, beside those of the URL. */
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

/** Asks for the wire as it stands: what the peers know of it stays. */
export function refreshRequest(connection: Connection): ConnectionRequest {
  return { connection: { ...connection, state: 'UP' }, mechanismPreferences: mechanisms(connection) }
}

/** Asks for the same service anew, at whatever endpoint. */
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
