/** Selects the mechanism that leads back to the caller, from what it offers and what this node has. */
import type { Connection, Mechanism } from '../api/index.ts'
import { NsmError, type Step } from '../base/index.ts'
import type { ConnectionTable } from '../connections/index.ts'
import {
  type AgreedEnd,
  type AnyMechanism,
  available,
  type End,
  isForOursAlone,
  LOCAL,
  REMOTE,
} from '../mechanism/index.ts'
import { Claims } from './claims.ts'
import type { Asking, Self } from './parts.ts'

export interface SelectedClientEnd {
  readonly clientEnd: AgreedEnd<End>
}

export function selectClientEnd(parts: {
  readonly self: Self
  readonly table: ConnectionTable
}): Step<Asking, SelectedClientEnd, Connection> {
  const claims = new Claims(parts.table)
  return async function selectClientEnd(asking, next) {
    return next({ clientEnd: accept(parts.self, claims, asking) })
  }
}

function accept(self: Self, claims: Claims, asking: Asking): AgreedEnd<End> {
  const { connection, call, known } = asking
  const { mechanism, offered } = choose(self, asking)
  return mechanism.accept(offered, {
    host: self,
    before: { mechanism: known?.connection.mechanism, wireKey: known?.clientKey },
    namespace: call.peer.attestation?.namespace,
    networkService: connection.networkService,
    isTaken: (number) => claims.isTaken(mechanism.type, number),
  })
}

interface Choice {
  readonly mechanism: AnyMechanism
  readonly offered: Mechanism
}

/**
 * The mechanism that the connection has; for a new one, the first preference that this node has. A preference that only
 * nodes of nsmesh understand goes before all others.
 */
function choose({ tunnel }: Self, { request, connection, call }: Asking): Choice {
  const cls = call.peer.attestation === undefined ? REMOTE : LOCAL
  const asked = connection.mechanism === undefined ? request.mechanismPreferences : [connection.mechanism]
  const possible = asked.flatMap((offered): readonly Choice[] => {
    const mechanism = available(cls, tunnel).find(({ type }) => offered.cls === cls && offered.type === type)
    return mechanism === undefined ? [] : [{ mechanism, offered }]
  })
  const found = possible.find(({ offered }) => isForOursAlone(offered)) ?? possible[0]
  if (found !== undefined) return found
  throw new NsmError('invalid_argument', 'Cannot support any of the requested mechanisms', {
    fields: { requested: asked.map(({ cls, type }) => `${cls}/${type}`).join(', ') || 'none' },
    next: `ask for ${namesOf(LOCAL, tunnel)} from a workload, ${namesOf(REMOTE, tunnel)} from a node`,
  })
}

function namesOf(cls: AnyMechanism['cls'], tunnel: Self['tunnel']): string {
  return available(cls, tunnel)
    .map(({ type }) => `${cls}/${type}`)
    .join(' or ')
}
