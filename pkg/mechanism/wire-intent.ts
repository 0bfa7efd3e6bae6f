import type { Payload } from '../api/index.ts'
import type { End } from './mechanisms.ts'

/**
 * What a node must have for one connection, decided and durable before the first effect. The request chain makes it;
 * forwarding turns it into links, addresses, routes, ports and cross-connects. Plain JSON, because it is stored.
 */
export interface WireIntent {
  /** The id of the connection on this node. */
  readonly id: string
  readonly payload: Payload
  readonly mtuBytes: number
  readonly client: End
  readonly server: End
  /** CIDRs that packets of the client and of the endpoint may carry: addresses and what is routed behind them. */
  readonly clientPrefixes: readonly string[]
  readonly serverPrefixes: readonly string[]
}
