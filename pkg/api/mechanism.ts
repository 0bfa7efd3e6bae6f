/** Names of mechanisms and their parameters, as NSM v1 writes them, and those that only nsmesh nodes know. */
export const LOCAL = 'LOCAL'
export const REMOTE = 'REMOTE'

export const KERNEL = 'KERNEL'
export const WIREGUARD = 'WIREGUARD'
export const VXLAN = 'VXLAN'

export const PAYLOAD_IP = 'IP'
export const PAYLOAD_ETHERNET = 'ETHERNET'

export const parameter = {
  inodeUrl: 'inodeURL',
  interfaceName: 'name',
  srcIp: 'src_ip',
  dstIp: 'dst_ip',
  srcPort: 'src_port',
  dstPort: 'dst_port',
  mtu: 'MTU',
  vni: 'vni',
  srcPublicKey: 'src_public_key',
  dstPublicKey: 'dst_public_key',
  // nsmesh: the key with which a node answers handshakes; a wire initiates with the *_public_key above.
  srcNodeKey: 'src_node_public_key',
  dstNodeKey: 'dst_node_public_key',
  // nsmesh: AEADs that the client side can, best first ("aes256gcm,chacha20poly1305"), and the one that the server took.
  aeads: 'aeads',
  aead: 'aead',
  // nsmesh: what the client side would put into the tunnel instead of IP packets ("ETHERNET"), and what the server took.
  payloads: 'payloads',
  payload: 'payload',
  // nsmesh: the version of path messages that the client side speaks, and then that the server speaks it too.
  pathMessages: 'path_messages',
} as const
