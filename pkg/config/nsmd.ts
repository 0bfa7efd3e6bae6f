import { MAX_MTU_BYTES } from '../net/index.ts'
import { aeads } from './aeads.ts'
import { kubernetesVariables } from './kubernetes.ts'
import {
  absolutePath,
  duration,
  integer,
  ip,
  list,
  logLevel,
  name,
  oneOf,
  port,
  prefix,
  uapiSocket,
  url,
} from './parsers.ts'
import { policyFiles } from './policy-files.ts'
import { defineConfig, optional, required, withDefault } from './table.ts'
import { checkNodeAddresses, toldIp, toldUrl } from './told-address.ts'
import { unsignedPath } from './unsigned-path.ts'

const RUN = '/run/nsmesh'

const about = 'nsmd: the manager, forwarder and identity agent of one node.'

const variables = {
  name: required('NSM_NAME', 'name of the node, unique in its domain', name),
  domain: required('NSM_DOMAIN', 'name of the domain, which is also its SPIFFE trust domain', name),
  listenOn: required('NSM_LISTEN_ON', 'address to listen on for other nodes, tcp://ip:port', url('tcp')),
  publicUrl: optional(
    'NSM_PUBLIC_URL',
    'address at which other nodes reach this one, tcp://ip:port, if different from NSM_LISTEN_ON (behind a NAT, or where that is every address)',
    toldUrl,
  ),
  registryUrl: required('NSM_REGISTRY_URL', 'address of the registry of the domain, tcp://ip:port', url('tcp')),
  stateDir: withDefault(
    required('NSM_STATE_DIR', 'directory for keys, the identity and connections', absolutePath),
    '/var/lib/nsmesh',
  ),
  control: withDefault(
    required('NSM_DATAPLANE_CONTROL', 'path of the control socket of nsm-dataplane', absolutePath),
    `${RUN}/control.sock`,
  ),
  deliverSocket: withDefault(
    required(
      'NSM_DELIVER_SOCKET',
      'path of the socket on which nsm-dataplane hands over the connections of local clients',
      absolutePath,
    ),
    `${RUN}/deliver.sock`,
  ),
  dialSocket: withDefault(
    required('NSM_DIAL_SOCKET', 'path of the socket of nsm-dataplane for connections to local endpoints', absolutePath),
    `${RUN}/dial.sock`,
  ),
  tunnelIp: required('NSM_TUNNEL_IP', 'IP address at which other nodes reach the wires of this one', toldIp),
  tunnelListenIp: optional(
    'NSM_TUNNEL_LISTEN_IP',
    'IP address to bind for wires, if different from NSM_TUNNEL_IP (behind a NAT); 0.0.0.0 or :: for every address',
    ip,
  ),
  tunnelPort: withDefault(required('NSM_TUNNEL_PORT', 'UDP port for encrypted wires', port), '51820'),
  tunnelMtuBytes: withDefault(
    required('NSM_TUNNEL_MTU', 'MTU of the network between the nodes, in bytes', integer(1280, MAX_MTU_BYTES)),
    '1500',
  ),
  aeads: withDefault(
    required('NSM_AEADS', 'AEADs for encrypted wires, best first; AES is used only if the CPU accelerates it', aeads),
    'aes-256-gcm,chacha20-poly1305',
  ),
  vxlanPort: optional(
    'NSM_VXLAN_PORT',
    'UDP port for plaintext (VXLAN) wires, usually 4789; unset: plaintext wires are refused',
    port,
  ),
  uapiSocket: optional(
    'NSM_UAPI_SOCKET',
    'path of a socket that shows the sessions to `wg show`, read-only: /var/run/wireguard/<name>.sock; unset: none',
    uapiSocket,
  ),
  joinTokenFile: optional(
    'NSM_JOIN_TOKEN_FILE',
    'file with the one-time join token, needed only for the first start',
    absolutePath,
  ),
  nodeTokenFile: optional(
    'NSM_NODE_TOKEN_FILE',
    'file with the token by which Kubernetes vouches for this node, which then needs no join token; the kubelet renews it',
    absolutePath,
  ),
  namespace: withDefault(required('NSM_NAMESPACE', 'namespace of nsmesh in Kubernetes', name), 'nsm-system'),
  ...kubernetesVariables,
  kubernetes: withDefault(
    required(
      'NSM_KUBERNETES',
      'whether to keep the wires of the pods of this node: on, off, or auto, which is on where NSM_NODE_TOKEN_FILE is set',
      oneOf(['auto', 'on', 'off']),
    ),
    'auto',
  ),
  gateDir: optional(
    'NSM_GATE_DIR',
    'directory in which nsm-cni looks for the namespaces whose pods inherit wires, so that these wait for them; unset: they start at once',
    absolutePath,
  ),
  nodeName: optional('NSM_NODE_NAME', 'name of this node in Kubernetes, if different from NSM_NAME', name),
  spiffeSocket: optional(
    'SPIFFE_ENDPOINT_SOCKET',
    'SPIFFE Workload API of another agent, to be used instead of the embedded one',
    url('unix'),
  ),
  maxTokenLifetimeMs: withDefault(
    required(
      'NSM_MAX_TOKEN_LIFETIME',
      'maximum lifetime of a path token, and of a connection that is not refreshed',
      duration,
    ),
    '10m',
  ),
  unsignedPath,
  maxWires: withDefault(
    required(
      'NSM_MAX_WIRES',
      'wires that one pod or user may have here, and one client at the endpoints of this node; ten times as many for all clients of another node or domain',
      integer(1, 1_000_000),
    ),
    '100',
  ),
  adminUids: withDefault(
    required(
      'NSM_ADMIN_UIDS',
      'uids of the users who may see and close all wires, on the node itself and in no container; separated by commas',
      list(integer(0, 2 ** 32 - 2)),
    ),
    '0',
  ),
  adminSocket: optional(
    'NSM_NODE_ADMIN_SOCKET',
    'path of a socket on which whoever opens it sees and closes all wires; it needs a directory of its own, which only the user of nsmd can enter; unset: none',
    absolutePath,
  ),
  excludedPrefixes: withDefault(
    required(
      'NSM_EXCLUDED_PREFIXES',
      "prefixes that no wire of this node may have, whichever side says so, such as those of a cluster's services; separated by commas",
      list(prefix),
    ),
    '',
  ),
  policyFiles,
  logLevel: withDefault(required('NSM_LOG_LEVEL', 'log level: debug, info, warn or error', logLevel), 'info'),
}

export const nsmdConfig = defineConfig(about, variables, checkNodeAddresses)

export type NsmdConfig = ReturnType<typeof nsmdConfig.read>
