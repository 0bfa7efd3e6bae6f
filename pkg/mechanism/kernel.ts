/**
 * The KERNEL mechanism: an interface in the network namespace of a workload on this node. If both ends of a wire are
 * interfaces, they are one veth pair; an interface that leads to a tunnel is a TUN or TAP device of the dataplane.
 */
import { randomInt } from 'node:crypto'
import { type ConnectionContext, type Mechanism, PAYLOAD_ETHERNET, PAYLOAD_IP } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { checkInterfaceName, MAX_INTERFACE_NAME_BYTES } from '../net/index.ts'
import { attributeType, namespaceAttributes, portKind, readNamespace, required } from '../netlink/index.ts'
import {
  type AgreedEnd,
  type AnyEnd,
  type Asked,
  EMPTY_VIEW,
  LOCAL,
  type MechanismKind,
  type Role,
  type WorkloadInterface,
} from './mechanism-kind.ts'
import { type Fields, readFields, textField, writeFields } from './port-fields.ts'
import type { AnyPort, PortKind } from './port-kind.ts'

/** NSM's name. */
export const KERNEL = 'KERNEL'

/** NSM v1's names of its parameters. */
export const kernelParameter = { inodeUrl: 'inodeURL', interfaceName: 'name' } as const

export interface KernelEnd extends AnyEnd, WorkloadInterface {
  readonly kind: 'kernel'
}

export interface DevicePortSpec extends AnyPort {
  /** `tun` carries IP packets, `tap` Ethernet frames. */
  readonly kind: 'tun' | 'tap'
  readonly namespace: string
  readonly interfaceName: string
}

export interface DevicePortStatus extends DevicePortSpec {
  /** 0 if the workload has removed the device. */
  readonly ifindex: number
}

const deviceFields: Fields<Omit<DevicePortSpec, keyof AnyPort>> = {
  namespace: {
    write: namespaceAttributes,
    read: (attributes) => required('port', attributeType.nsIno, readNamespace(attributes)),
  },
  interfaceName: textField(attributeType.ifname),
}

/** TUN and TAP. */
const devicePort: PortKind<DevicePortSpec, DevicePortStatus> = {
  kinds: [
    ['tun', portKind.tun],
    ['tap', portKind.tap],
  ],
  isDevice: true,
  carries: ({ kind }) => (kind === 'tap' ? PAYLOAD_ETHERNET : PAYLOAD_IP),
  check: () => {},
  encode: (spec) => writeFields(deviceFields, spec),
  decode: (named, attributes) => ({
    ...named,
    ...readFields(deviceFields, attributes),
    ifindex: attributes.u32(attributeType.ifindex) ?? 0,
  }),
  fresh: (spec) => ({ ...spec, ifindex: 0 }),
  steady: ({ ifindex: _, ...steady }) => steady,
}

export const kernel: MechanismKind<KernelEnd, DevicePortSpec, DevicePortStatus> = {
  kind: 'kernel',
  cls: LOCAL,
  type: KERNEL,
  payloads: [PAYLOAD_IP, PAYLOAD_ETHERNET],
  port: devicePort,
  hasSession: false,

  accept: (offered, asked) => agree('client', offered, asked),

  offer: (wanted) => ({
    mechanism: { cls: LOCAL, type: KERNEL, parameters: {} },
    join: (answered, networkService) => agree('server', answered, { ...wanted, networkService }),
  }),

  complete: (end, context) => ({ ...end, ...layer3Of(end.role, context) }),
  workload: (end) => end,
  plan: ({ namespace, interfaceName }, { id, payload }) => ({
    id,
    kind: payload === PAYLOAD_ETHERNET ? 'tap' : 'tun',
    namespace,
    interfaceName,
  }),

  view: ({ namespace, interfaceName }) => ({ ...EMPTY_VIEW, mechanism: KERNEL, interface: interfaceName, namespace }),
}

type Around = Pick<Asked, 'host' | 'before' | 'namespace' | 'networkService'>

/** If nobody names the interface, it keeps the name that it has. The addresses follow when the endpoint has answered. */
function agree(role: Role, mechanism: Mechanism, around: Around): AgreedEnd<KernelEnd> {
  const { host, before, networkService } = around
  const namespace = attestedNamespace(mechanism, around.namespace, host.hostNamespace)
  const given = nameIn(mechanism) || nameIn(before.mechanism)
  const interfaceName = checkInterfaceName(given || generateInterfaceName(networkService))
  const shown = {
    [kernelParameter.inodeUrl]: namespace,
    ...mechanism.parameters,
    [kernelParameter.interfaceName]: interfaceName,
  }
  return {
    end: { kind: 'kernel', role, namespace, interfaceName, addresses: [], routes: [], policies: [] },
    mechanism: { cls: LOCAL, type: KERNEL, parameters: shown },
    payload: undefined,
    maxMtuBytes: undefined,
    wireKey: undefined,
  }
}

const SERVICE_CHARS = 10
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'

/**
 * A name for an interface when the workload gave none: the first 10 characters of the service, a dash, and random
 * characters up to the 15 that the kernel takes.
 *
 * @param draw a number from 0 to `below - 1`
 */
export function generateInterfaceName(service: string, draw: (below: number) => number = randomInt): string {
  const prefix = `${service.slice(0, SERVICE_CHARS).replaceAll(/[^A-Za-z0-9._-]/g, '-')}-`
  const random = Array.from({ length: MAX_INTERFACE_NAME_BYTES - prefix.length }, () => ALPHABET[draw(ALPHABET.length)])
  return prefix + random.join('')
}

function nameIn(mechanism: Mechanism | undefined): string {
  return mechanism?.parameters[kernelParameter.interfaceName] ?? ''
}

function layer3Of(role: Role, { ip }: ConnectionContext): Pick<KernelEnd, 'addresses' | 'routes' | 'policies'> {
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
function attestedNamespace(mechanism: Mechanism, attested: string | undefined, hostNamespace: string): string {
  if (attested === undefined) {
    throw new NsmError('failed_precondition', 'Cannot join the network namespace: it is unknown')
  }
  const claimed = mechanism.parameters[kernelParameter.inodeUrl] ?? ''
  const isOwn = claimed === '' || claimed === attested || OWN_NAMESPACE.test(claimed)
  if (isOwn && attested !== hostNamespace) return attested
  const state = isOwn ? "the node's own namespace is never joined" : 'it is not the namespace of the caller'
  throw new NsmError('permission_denied', `Cannot join the network namespace: ${state}`, {
    fields: { claimed: claimed.slice(0, 128), caller: attested },
    next: isOwn ? 'ask from inside a network namespace of your own' : `leave ${kernelParameter.inodeUrl} out`,
  })
}

const OWN_NAMESPACE = /^file:\/\/\/proc\/(thread-self|self)\/ns\/net$/
