/** How the one who asks is joined: by an interface when it is a workload of this node, by a tunnel when it is a node. */
import {
  type Attestation,
  type Connection,
  KERNEL,
  LOCAL,
  type Mechanism,
  parameter,
  REMOTE,
  VXLAN,
  WIREGUARD,
} from '../api/index.ts'
import { NsmError, type Step } from '../base/index.ts'
import type { ConnectionTable } from '../connections/index.ts'
import { generateInterfaceName, offersFrames } from '../tunnel/index.ts'
import type { Asking, Self } from './parts.ts'
import { attestedNamespace, localSide, type Side } from './side.ts'
import { acceptVxlan, Vnis } from './vxlan-side.ts'
import { acceptWireguard } from './wireguard-side.ts'

export interface SelectedClientSide {
  readonly clientSide: Side
}

export function selectClientSide(parts: {
  readonly self: Self
  readonly table: ConnectionTable
}): Step<Asking, SelectedClientSide, Connection> {
  const vnis = new Vnis(parts.table)
  return async function selectClientSide(asking, next) {
    const { attestation } = asking.call.peer
    const clientSide =
      attestation === undefined ? nodeSide(parts.self, asking, vnis) : workloadSide(parts.self, asking, attestation)
    return next({ clientSide })
  }
}

function workloadSide({ hostNamespace }: Self, asking: Asking, attestation: Attestation): Side {
  const mechanism = choose(asking, (each) => each.cls === LOCAL && each.type === KERNEL)
  const given = mechanism.parameters[parameter.interfaceName] ?? ''
  const before = asking.known?.connection.mechanism?.parameters[parameter.interfaceName] ?? ''
  return localSide({
    role: 'client',
    namespace: attestedNamespace(mechanism, attestation.namespace, hostNamespace),
    interfaceName: given || before || generateInterfaceName(asking.connection.networkService),
    mechanism,
  })
}

function nodeSide({ tunnel }: Self, asking: Asking, vnis: Vnis): Side {
  const isPlaintext = tunnel.vxlanPort !== undefined
  const can = ({ cls, type }: Mechanism) => cls === REMOTE && (type === WIREGUARD || (type === VXLAN && isPlaintext))
  const mechanism = choose(asking, can)
  if (mechanism.type === VXLAN) return acceptVxlan(tunnel, mechanism, vnis)
  return acceptWireguard(tunnel, mechanism, asking.known?.clientKey)
}

/**
 * The mechanism that the connection has, else the first of the preferences that we can; but frames sealed before frames
 * in plaintext, which a node of ours offers first for the sake of foreign ones.
 */
function choose({ request, connection }: Asking, can: (mechanism: Mechanism) => boolean): Mechanism {
  const asked = connection.mechanism === undefined ? request.mechanismPreferences : [connection.mechanism]
  const possible = asked.filter(can)
  const found = possible.find(({ parameters }) => offersFrames(parameters)) ?? possible[0]
  if (found !== undefined) return found
  throw new NsmError('invalid_argument', 'Cannot support any of the requested mechanisms', {
    fields: { requested: asked.map(({ cls, type }) => `${cls}/${type}`).join(', ') || 'none' },
    next: `ask for ${LOCAL}/${KERNEL} from a workload, ${REMOTE}/${WIREGUARD} from a node`,
  })
}
