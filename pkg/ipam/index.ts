/** Leases addresses to the two ends of a connection, like upstream's point-to-point IPAM. Pure, with plain state. */
export { parseGroups } from './groups.ts'
export { type AddressPair, type Lease, PointToPointIpam } from './point-to-point.ts'
export type { Holder } from './shares.ts'
