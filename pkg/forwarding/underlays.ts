/** Ids of the node's two UDP sockets at the dataplane. The daemon sets them before it opens the forwarder. */
export const WIREGUARD_UNDERLAY = 'wireguard'
export const VXLAN_UNDERLAY = 'vxlan'
