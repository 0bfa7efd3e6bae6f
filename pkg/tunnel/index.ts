/** What two nodes agree on for a remote wire: mechanism parameters, keys, AEAD, MTU, VNI. Pure. */
export { type AeadName, isAeadName, negotiateAead, WIREGUARD_AEAD } from './aead.ts'
export { generateInterfaceName } from './interface-name.ts'
export { generateKey, keyBytes, keyText, publicKeyOf, type WireKey } from './key.ts'
export { LOCAL_MTU_BYTES, lowestMtuBytes, type TunnelPath, tunnelMtuBytes } from './mtu.ts'
export { drawVni, MAX_VNI, type VniDraw } from './vni.ts'
export { DEFAULT_VXLAN_PORT, readVxlan, type VxlanMechanism, type VxlanSide, writeVxlan } from './vxlan-mechanism.ts'
export {
  offersFrames,
  readWireguard,
  type WireguardMechanism,
  type WireguardSide,
  writeWireguard,
} from './wireguard-mechanism.ts'
