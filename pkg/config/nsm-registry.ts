import { absolutePath, duration, list, logLevel, name, url } from './parsers.ts'
import { defineConfig, optional, type Parser, required, withDefault } from './table.ts'

export const registryConfig = defineConfig(
  'nsm-registry: registry and authority of a domain, and its door to others.',
  {
    domain: required('NSM_DOMAIN', 'name of the domain (SPIFFE trust domain)', name),
    listenOn: required('NSM_LISTEN_ON', 'where nodes and other domains call, tcp://ip:port', url('tcp')),
    advertise: optional(
      'NSM_ADVERTISE',
      'host:port under which they reach it, comma-separated, where that differs from NSM_LISTEN_ON',
      list(hostAndPort()),
    ),
    adminSocket: withDefault(
      required('NSM_ADMIN_SOCKET', 'socket for nsmctl on this host, in a directory of its own', absolutePath),
      '/run/nsmesh/registry/admin.sock',
    ),
    stateDir: withDefault(
      required('NSM_STATE_DIR', "records, joined domains, and the authority's key", absolutePath),
      '/var/lib/nsmesh-registry',
    ),
    defaultExpiryMs: withDefault(
      required('NSM_DEFAULT_EXPIRY', 'how long an endpoint lives that is not refreshed', duration),
      '1m',
    ),
    logLevel: withDefault(required('NSM_LOG_LEVEL', 'debug, info, warn or error', logLevel), 'info'),
  },
)

export type RegistryConfig = ReturnType<typeof registryConfig.read>

function hostAndPort(): Parser<string> {
  return (value) => {
    url('tcp')(`tcp://${value}`)
    return value
  }
}
