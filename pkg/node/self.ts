import { type NsmdConfig, ownNamespace } from '../config/index.ts'
import type { DataplaneStatus } from '../dataplane/index.ts'
import type { WireKey } from '../mechanism/index.ts'

/** This node, as others know it. AES is offered only where the engine has it in hardware. */
export function selfOf(config: NsmdConfig, { features }: DataplaneStatus, nodeKey: WireKey) {
  const isAesFast = features.get('aes_256_gcm_accelerated') === 'on'
  return {
    name: config.name,
    domain: config.domain,
    publicUrl: config.publicUrl ?? config.listenOn,
    hostNamespace: ownNamespace(),
    tunnel: {
      ip: config.tunnelIp,
      ports: { wireguard: config.tunnelPort, ...(config.vxlanPort === undefined ? {} : { vxlan: config.vxlanPort }) },
      mtuBytes: config.tunnelMtuBytes,
      nodeKey,
      aeads: () => config.aeads.filter((aead) => aead !== 'aes256gcm' || isAesFast),
    },
  }
}
