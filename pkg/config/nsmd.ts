import { aeads } from './aeads.ts'
import { absolutePath, duration, integer, ip, list, logLevel, name, port, uapiSocket, url } from './parsers.ts'
import { defineConfig, optional, required, withDefault } from './table.ts'

const RUN = '/run/nsmesh'

export const nsmdConfig = defineConfig('nsmd: manager and forwarder of one node, and its identity agent.', {
  name: required('NSM_NAME', 'name of the node in its domain', name),
  domain: required('NSM_DOMAIN', 'domain (SPIFFE trust domain) of the node', name),
  listenOn: required('NSM_LISTEN_ON', 'where other nodes reach NSM, tcp://ip:port', url('tcp')),
  publicUrl: optional('NSM_PUBLIC_URL', 'the same as others see it, where that differs', url('tcp')),
  registryUrl: required('NSM_REGISTRY_URL', "the domain's registry, tcp://ip:port", url('tcp')),
  stateDir: withDefault(required('NSM_STATE_DIR', 'keys, identity and connections', absolutePath), '/var/lib/nsmesh'),
  control: withDefault(
    required('NSM_DATAPLANE_CONTROL', 'control socket of nsm-dataplane', absolutePath),
    `${RUN}/control.sock`,
  ),
  deliverSocket: withDefault(
    required('NSM_DELIVER_SOCKET', 'where nsm-dataplane hands over local clients', absolutePath),
    `${RUN}/deliver.sock`,
  ),
  dialSocket: withDefault(
    required('NSM_DIAL_SOCKET', 'through which nsm-dataplane calls local endpoints', absolutePath),
    `${RUN}/dial.sock`,
  ),
  tunnelIp: required('NSM_TUNNEL_IP', 'address of the node for encrypted wires', ip),
  tunnelPort: withDefault(required('NSM_TUNNEL_PORT', 'UDP port for encrypted wires', port), '51820'),
  tunnelMtuBytes: withDefault(
    required('NSM_TUNNEL_MTU', 'MTU of the network between nodes', integer(1280, 65_535)),
    '1500',
  ),
  aeads: withDefault(
    required('NSM_AEADS', 'what encrypted wires are sealed with, best first; AES only where the CPU has it', aeads),
    'aes-256-gcm,chacha20-poly1305',
  ),
  vxlanPort: optional('NSM_VXLAN_PORT', 'UDP port for plaintext wires (4789); without it they are refused', port),
  uapiSocket: optional(
    'NSM_UAPI_SOCKET',
    'shows sessions to `wg show`, read-only: /var/run/wireguard/<name>.sock; without it nothing does',
    uapiSocket,
  ),
  joinTokenFile: optional('NSM_JOIN_TOKEN_FILE', 'file with the one-time token of the first start', absolutePath),
  spiffeSocket: optional('SPIFFE_ENDPOINT_SOCKET', 'Workload API of an agent to use instead of our own', url('unix')),
  maxTokenLifetimeMs: withDefault(required('NSM_MAX_TOKEN_LIFETIME', 'longest life of a path token', duration), '10m'),
  adminUids: withDefault(
    required('NSM_ADMIN_UIDS', 'uids that may see every wire of the node', list(integer(0, 2 ** 32 - 2))),
    '0',
  ),
  logLevel: withDefault(required('NSM_LOG_LEVEL', 'debug, info, warn or error', logLevel), 'info'),
})

export type NsmdConfig = ReturnType<typeof nsmdConfig.read>
