/** For tests and benches: ends and ports that say nothing but what matters. */
import type { Role, WireguardEnd, WireguardPortSpec } from '../index.ts'
import { EXACT_WIREGUARD } from '../wireguard/agreement.ts'

/** Of a wire to a foreign peer, unless it is said otherwise. */
const plain = { kind: 'wireguard', ...EXACT_WIREGUARD, roaming: false, keepaliveSeconds: 0 } as const

type Keys = 'privateKey' | 'peerResponderKey' | 'peerInitiatorKey'

export function wireguardEnd(
  role: Role,
  said: Pick<WireguardEnd, Keys | 'peer'> & Partial<WireguardEnd>,
): WireguardEnd {
  return { ...plain, role, ...said }
}

export function wireguardPort(
  said: Pick<WireguardPortSpec, 'id' | 'underlay' | Keys | 'peer' | 'mtuBytes'> & Partial<WireguardPortSpec>,
): WireguardPortSpec {
  return { ...plain, payload: 'IP', localPrefixes: [], remotePrefixes: [], ...said }
}
