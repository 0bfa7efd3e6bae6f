/**
 * One side of a wire on this node: what was agreed with that neighbour, and what becomes of it once the addresses are
 * known. A wire joins the side of the client with the side of the endpoint.
 */
import {
  type ConnectionContext,
  type IntentEnd,
  KERNEL,
  LOCAL,
  type LocalEnd,
  type Mechanism,
  parameter,
} from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { checkInterfaceName } from '../net/index.ts'

export type Role = 'client' | 'server'

export interface Side {
  /** As it is answered to the client, or as the endpoint answered it. */
  readonly mechanism: Mechanism
  /** All that it carries; undefined where it takes packets and frames alike. */
  readonly payload: 'IP' | 'ETHERNET' | undefined
  /** The largest packet that fits; undefined where this side sets no limit. */
  readonly mostMtuBytes: number | undefined
  /** X25519 private key with which this side initiates, base64; undefined for local sides. */
  readonly wireKey: string | undefined
  plan(context: ConnectionContext): IntentEnd
}

export interface LocalSide {
  readonly role: Role
  /** `inode://<dev>/<ino>`, from the kernel. */
  readonly namespace: string
  readonly interfaceName: string
  readonly mechanism: Mechanism
}

/** An interface in the namespace of a workload on this node. */
export function localSide({ role, namespace, interfaceName, mechanism }: LocalSide): Side {
  const name = checkInterfaceName(interfaceName)
  const shown = { [parameter.inodeUrl]: namespace, ...mechanism.parameters, [parameter.interfaceName]: name }
  return {
    mechanism: { cls: LOCAL, type: KERNEL, parameters: shown },
    payload: undefined,
    mostMtuBytes: undefined,
    wireKey: undefined,
    plan: (context) => ({ kind: 'local', namespace, interfaceName: name, ...addressesOf(role, context) }),
  }
}

function addressesOf(role: Role, { ip }: ConnectionContext): Pick<LocalEnd, 'addresses' | 'routes' | 'policies'> {
  const [addresses, routes] = role === 'client' ? [ip.srcIpAddrs, ip.srcRoutes] : [ip.dstIpAddrs, ip.dstRoutes]
  return {
    addresses,
    routes: routes.map(({ prefix, nextHop }) => ({ prefix, via: nextHop === '' ? undefined : nextHop })),
    policies: role === 'client' ? ip.policies : [],
  }
}

/**
 * The namespace of the process at the other end of a local socket. What it writes about its namespace may only repeat
 * what the kernel says: `inode://<dev>/<ino>`, or a `file://` of its own that means the same and is never opened.
 *
 * @throws {NsmError} `permission_denied` for any other namespace, and for the node's own.
 */
export function attestedNamespace(mechanism: Mechanism, attested: string, hostNamespace: string): string {
  const claimed = mechanism.parameters[parameter.inodeUrl] ?? ''
  const isOwn = claimed === '' || claimed === attested || OWN_NAMESPACE.test(claimed)
  if (isOwn && attested !== hostNamespace) return attested
  const state = isOwn ? "the node's own namespace is never joined" : 'it is not the namespace of the caller'
  throw new NsmError('permission_denied', `Cannot join the network namespace: ${state}`, {
    fields: { claimed: claimed.slice(0, 128), caller: attested },
    next: isOwn ? 'ask from inside a network namespace of your own' : `leave ${parameter.inodeUrl} out`,
  })
}

const OWN_NAMESPACE = /^file:\/\/\/proc\/(thread-self|self)\/ns\/net$/
