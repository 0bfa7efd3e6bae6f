/** The programs that run beside a workload: client, endpoint, nsmctl. Upstream's variables keep upstream's names. */
import { isPayload, type Payload } from '../api/index.ts'
import { labels } from './labels.ts'
import { absolutePath, boolean, duration, list, logLevel, name, text, url } from './parsers.ts'
import { defineConfig, optional, required, withDefault } from './table.ts'
import { unsignedPath } from './unsigned-path.ts'

const connectTo = withDefault(
  required('NSM_CONNECT_TO', 'local socket of the node', url('unix')),
  'unix:///var/lib/networkservicemesh/nsm.io.sock',
)
const workloadApi = withDefault(
  required('SPIFFE_ENDPOINT_SOCKET', 'SPIFFE Workload API from which this program gets its identity', url('unix')),
  'unix:///run/nsmesh/agent.sock',
)
const log = withDefault(required('NSM_LOG_LEVEL', 'log level: debug, info, warn or error', logLevel), 'info')
const ownLabels = withDefault(required('NSM_LABELS', 'labels as key:value, separated by commas', labels), '')
const maxTokenLifetimeMs = withDefault(
  required('NSM_MAX_TOKEN_LIFETIME', 'maximum lifetime of a path token', duration),
  '10m',
)

export const nsmClientConfig = defineConfig('nsm-client: requests and maintains the wires of a workload.', {
  name: withDefault(required('NSM_NAME', 'name of the client', name), 'nsc'),
  networkServices: required(
    'NSM_NETWORK_SERVICES',
    'network services to connect to: kernel://service[@domain]/interface[?label=value], separated by commas; default-route=ipv4, ipv6 or ipv4,ipv6 among the labels asks for a default route',
    text,
  ),
  labels: ownLabels,
  requestTimeoutMs: withDefault(required('NSM_REQUEST_TIMEOUT', 'time limit of one request', duration), '15s'),
  connectTo,
  workloadApi,
  maxTokenLifetimeMs,
  logLevel: log,
})

export const nsmEndpointConfig = defineConfig(
  'nsm-endpoint: makes the programs in a network namespace an endpoint of network services.',
  {
    name: withDefault(required('NSM_NAME', 'name of the endpoint', name), 'nse'),
    serviceNames: required('NSM_SERVICE_NAMES', 'network services to serve, separated by commas', list(name)),
    payload: withDefault(required('NSM_PAYLOAD', 'payload of the services: IP or ETHERNET', payload), 'IP'),
    labels: ownLabels,
    cidrPrefix: required(
      'NSM_CIDR_PREFIX',
      'prefixes for the addresses of both ends: 172.16.1.100/31, or groups such as [a,b],[c]',
      text,
    ),
    isServiceRegistered: withDefault(
      required('NSM_REGISTER_SERVICE', 'whether to register the services as well: true or false', boolean),
      'true',
    ),
    listenDir: withDefault(
      required('NSM_LISTEN_DIR', 'directory for the socket of the endpoint', absolutePath),
      '/tmp',
    ),
    connectTo,
    workloadApi,
    maxTokenLifetimeMs,
    unsignedPath,
    logLevel: log,
  },
)

export const nsmctlConfig = defineConfig('nsmctl', {
  connectTo,
  workloadApi,
  nodeAdminSocket: optional(
    'NSM_NODE_ADMIN_SOCKET',
    'admin socket of the node, where it has one; then NSM_CONNECT_TO and an identity are not needed',
    absolutePath,
  ),
  adminSocket: withDefault(
    required('NSM_ADMIN_SOCKET', 'admin socket of the registry, on the host of the registry', absolutePath),
    '/run/nsmesh/registry/admin.sock',
  ),
})

function payload(value: string): Payload {
  if (isPayload(value)) return value
  throw new Error('must be IP or ETHERNET')
}

export type NsmClientConfig = ReturnType<typeof nsmClientConfig.read>
export type NsmEndpointConfig = ReturnType<typeof nsmEndpointConfig.read>
export type NsmctlConfig = ReturnType<typeof nsmctlConfig.read>
