import { kubernetesVariables } from './kubernetes.ts'
import { absolutePath, duration, list, logLevel, name, oneOf, url } from './parsers.ts'
import { policyFiles } from './policy-files.ts'
import { defineConfig, optional, required, withDefault } from './table.ts'
import { toldHostAndPort } from './told-address.ts'

export const registryConfig = defineConfig(
  'nsm-registry: the registry and certificate authority of a domain, and its link to other domains.',
  {
    domain: required('NSM_DOMAIN', 'name of the domain, which is also its SPIFFE trust domain', name),
    listenOn: required('NSM_LISTEN_ON', 'address to listen on for nodes and other domains, tcp://ip:port', url('tcp')),
    advertise: optional(
      'NSM_ADVERTISE',
      'addresses at which they can reach the registry, if different from NSM_LISTEN_ON: host:port, separated by commas',
      list(toldHostAndPort),
    ),
    adminSocket: withDefault(
      required(
        'NSM_ADMIN_SOCKET',
        'path of the admin socket for nsmctl on this host; it needs a directory of its own',
        absolutePath,
      ),
      '/run/nsmesh/registry/admin.sock',
    ),
    stateDir: withDefault(
      required('NSM_STATE_DIR', 'directory for records, joined domains and the key of the authority', absolutePath),
      '/var/lib/nsmesh-registry',
    ),
    store: withDefault(
      required(
        'NSM_STORE',
        'where the records are: sqlite, in the state directory; or kubernetes, as objects that several registries share',
        oneOf(['sqlite', 'kubernetes']),
      ),
      'sqlite',
    ),
    namespace: withDefault(
      required('NSM_NAMESPACE', 'namespace of these objects, and of the Secret with the key of the authority', name),
      'nsm-system',
    ),
    nodeServiceAccount: withDefault(
      required('NSM_NODE_SERVICE_ACCOUNT', 'service account of nsmd in that namespace: its pods are the nodes', name),
      'nsmd',
    ),
    ...kubernetesVariables,
    spiffeSocket: optional(
      'SPIFFE_ENDPOINT_SOCKET',
      'SPIFFE Workload API of another agent, whose authority is to be used instead of the embedded one',
      url('unix'),
    ),
    defaultExpiryMs: withDefault(
      required('NSM_DEFAULT_EXPIRY', 'lifetime of a registered endpoint that is not refreshed', duration),
      '1m',
    ),
    policyFiles,
    logLevel: withDefault(required('NSM_LOG_LEVEL', 'log level: debug, info, warn or error', logLevel), 'info'),
  },
)

export type RegistryConfig = ReturnType<typeof registryConfig.read>
