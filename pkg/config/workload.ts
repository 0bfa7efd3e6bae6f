/** Programs beside a workload: the client, the endpoint, and nsmctl. Names are upstream's where upstream has them. */
import { labels } from './labels.ts'
import { absolutePath, boolean, duration, list, logLevel, name, text, url } from './parsers.ts'
import { defineConfig, required, withDefault } from './table.ts'

const connectTo = withDefault(
  required('NSM_CONNECT_TO', 'the node, as its local socket', url('unix')),
  'unix:///var/lib/networkservicemesh/nsm.io.sock',
)
const workloadApi = withDefault(
  required('SPIFFE_ENDPOINT_SOCKET', 'where this program gets its identity (SPIFFE Workload API)', url('unix')),
  'unix:///run/nsmesh/agent.sock',
)
const log = withDefault(required('NSM_LOG_LEVEL', 'debug, info, warn or error', logLevel), 'info')
const ownLabels = withDefault(required('NSM_LABELS', 'labels, key:value, separated by commas', labels), '')
const tokenLife = withDefault(required('NSM_MAX_TOKEN_LIFETIME', 'longest life of a path token', duration), '10m')

export const nsmClientConfig = defineConfig('nsm-client: keeps the wires that a workload asks for.', {
  name: withDefault(required('NSM_NAME', 'name of the client', name), 'nsc'),
  networkServices: required(
    'NSM_NETWORK_SERVICES',
    'what is wanted: kernel://service[@domain]/interface, separated by commas',
    text,
  ),
  labels: ownLabels,
  requestTimeoutMs: withDefault(required('NSM_REQUEST_TIMEOUT', 'for one request to be answered', duration), '15s'),
  connectTo,
  workloadApi,
  maxTokenLifetimeMs: tokenLife,
  logLevel: log,
})

export const nsmEndpointConfig = defineConfig('nsm-endpoint: makes the programs of a network namespace an endpoint.', {
  name: withDefault(required('NSM_NAME', 'name of the endpoint', name), 'nse'),
  serviceNames: required('NSM_SERVICE_NAMES', 'network services that it serves', list(name)),
  payload: withDefault(required('NSM_PAYLOAD', 'of the services: IP or ETHERNET', payload), 'IP'),
  labels: ownLabels,
  cidrPrefix: required('NSM_CIDR_PREFIX', 'addresses for both ends: 172.16.1.100/31, or groups [a,b],[c]', text),
  isServiceRegistered: withDefault(required('NSM_REGISTER_SERVICE', 'register the services too', boolean), 'true'),
  listenDir: withDefault(required('NSM_LISTEN_DIR', 'directory for its socket', absolutePath), '/tmp'),
  connectTo,
  workloadApi,
  maxTokenLifetimeMs: tokenLife,
  logLevel: log,
})

export const nsmctlConfig = defineConfig('nsmctl', {
  connectTo,
  workloadApi,
  adminSocket: withDefault(
    required('NSM_ADMIN_SOCKET', "the registry's admin socket, on its own host", absolutePath),
    '/run/nsmesh/registry/admin.sock',
  ),
})

function payload(value: string): 'IP' | 'ETHERNET' {
  if (value === 'IP' || value === 'ETHERNET') return value
  throw new Error('must be IP or ETHERNET')
}

export type NsmClientConfig = ReturnType<typeof nsmClientConfig.read>
export type NsmEndpointConfig = ReturnType<typeof nsmEndpointConfig.read>
export type NsmctlConfig = ReturnType<typeof nsmctlConfig.read>
