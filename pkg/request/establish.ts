/** The end of the chain: what was agreed becomes an intent, the intent becomes a wire, and the connection is recorded. */
import type { Connection, ConnectionContext } from '../api/index.ts'
import { type ConnectionRecord, type ConnectionTable, callerKey } from '../connections/index.ts'
import { workloadOf } from '../mechanism/index.ts'
import { formatPrefix, network } from '../net/index.ts'
import type { PolicySource } from '../policy/index.ts'
import { ownerOf, wantsDefault } from '../steps/index.ts'
import type { Answered } from './call-next-hop.ts'
import { prefixesOf } from './check-prefixes.ts'
import type { Counted } from './limit-wires.ts'
import type { Asking, Forwarding, Self } from './parts.ts'
import { agreeMtu, planWire } from './plan-wire.ts'
import { RouteExceptions } from './route-exceptions.ts'
import type { SelectedClientEnd } from './select-client-end.ts'
import type { Chosen } from './select-endpoint.ts'

export interface EstablishParts {
  readonly self: Self
  readonly forwarding: Forwarding
  readonly table: ConnectionTable
  readonly policy: PolicySource
  /** What the operator of this node keeps off all wires, as it is now. */
  excludedPrefixes(): readonly string[]
}

type Agreed = Asking & Counted & SelectedClientEnd & Chosen & Answered

export function establish(parts: EstablishParts): (agreed: Agreed) => Promise<Connection> {
  return async function establish(agreed) {
    const connection = toAnswer(agreed)
    const { id, context } = connection
    const { payload, clientEnd: client, serverEnd: server, known, signal } = agreed
    const { call, identities, target } = agreed
    const exceptions = new RouteExceptions(parts, { owner: call.peer.spiffeId, identities, connection, target })
    const around = {
      kept: parts.self.kept,
      excluded: parts.excludedPrefixes(),
      exceptions,
      defaults: wantsDefault(agreed.connection.context.ip),
    }
    const intent = planWire({ id, payload, context, client, server, ...around })
    await parts.forwarding.establish(intent, signal, exceptions)
    try {
      const allowedPrefixes = [...new Set([...exceptions.allowed, ...stillAllowed(known, context)])]
      return parts.table.save({ ...toRecord(agreed, connection), allowedPrefixes }).connection
    } catch (error) {
      // Without a record, nobody could close the wire.
      if (known === undefined) await parts.forwarding.remove(id, new AbortController().signal)
      throw error
    }
  }
}

/** Pods are looked at only when a wire changes: what the policy allowed there before has not been asked for again. */
function stillAllowed(known: ConnectionRecord | undefined, { ip }: ConnectionContext): readonly string[] {
  const onWire = new Set(prefixesOf(ip).map((prefix) => formatPrefix(network(prefix))))
  return (known?.allowedPrefixes ?? []).filter((prefix) => onWire.has(prefix))
}

/** The client's own names and mechanism, the endpoint that was chosen and its context, the whole path. */
function toAnswer({ connection, answer, clientEnd, serverEnd, target, payload }: Agreed): Connection {
  return {
    ...connection,
    endpointName: target.endpoint,
    mechanism: clientEnd.mechanism,
    context: { ...answer.context, mtuBytes: agreeMtu(answer.context.mtuBytes, clientEnd, serverEnd) },
    path: answer.path,
    payload,
    state: 'UP',
  }
}

function toRecord(agreed: Agreed, connection: Connection): ConnectionRecord {
  const { request, call, identities, accounts, expiresMs, answer, answeredBy, target, clientEnd, serverEnd } = agreed
  return {
    id: connection.id,
    ...ownerOf(call.peer),
    serverNamespace: workloadOf(serverEnd.end)?.namespace,
    identities: [...identities, answeredBy],
    accounts,
    callerKey: callerKey(request.connection, call),
    connection,
    outgoing: { ...answer, mechanism: serverEnd.mechanism },
    target,
    clientKey: clientEnd.wireKey,
    serverKey: serverEnd.wireKey,
    expiresMs,
  }
}
