/** Addresses for the two ends of a connection, as upstream's point-to-point IPAM gives them. Pure, and plain data to store. */
export { parseGroups } from './groups.ts'
export { type AddressPair, type Lease, PointToPointIpam } from './point-to-point.ts'
