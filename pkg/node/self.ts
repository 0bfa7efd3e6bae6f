import { type NsmdConfig, ownNamespace } from '../config/index.ts'
import type { DataplaneStatus } from '../dataplane/index.ts'
import type { WireKey } from '../mechanism/index.ts'
import { isIp, type KeptAddress, parseIp } from '../net/index.ts'

/** This node, as others know it. AES is offered only where the engine has it in hardware. */
export function selfOf(config: NsmdConfig, { features }: DataplaneStatus, nodeKey: WireKey) {
  const isAesFast = features.get('aes_256_gcm_accelerated') === 'on'
  return {
    name: config.name,
    domain: config.domain,
    publicUrl: config.publicUrl ?? config.listenOn,
    kept: keptAddresses(config),
    hostNamespace: ownNamespace(),
    tunnel: {
      ip: config.tunnelIp,
      listenIp: config.tunnelListenIp ?? config.tunnelIp,
      ports: { wireguard: config.tunnelPort, ...(config.vxlanPort === undefined ? {} : { vxlan: config.vxlanPort }) },
      mtuBytes: config.tunnelMtuBytes,
      nodeKey,
      aeads: () => config.aeads.filter((aead) => aead !== 'aes256gcm' || isAesFast),
    },
  }
}

/** What this node and its pods need to reach. A host name is none: no prefix can be compared with it. */
function keptAddresses(config: NsmdConfig): readonly KeptAddress[] {
  const urls = [
    [config.registryUrl, 'the address of the registry'],
    [config.publicUrl ?? config.listenOn, 'the address of the node'],
    [config.listenOn, 'the address of the node'],
  ] as const
  const hosts = [
    ...urls.map(([url, what]) => [hostOf(url), what] as const),
    [config.tunnelIp, 'the address of the node'] as const,
    [config.tunnelListenIp ?? config.tunnelIp, 'the address of the node'] as const,
  ]
  return hosts.flatMap(([ip, what]) => (isIp(ip) ? [{ ip: parseIp(ip), what }] : []))
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '')
}
