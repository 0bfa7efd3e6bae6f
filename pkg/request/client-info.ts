import type { Connection } from '../api/index.ts'
import type { Arrived, Incoming, Self } from './parts.ts'
import type { Step } from './step.ts'

/** Says on which node the client is, for services that choose endpoints by it; what the client says itself stays. */
export function addClientInfo({ self }: { self: Self }): Step<Incoming & Arrived, Arrived, Connection> {
  return ({ connection, call }, next) => {
    const isHere = call.peer.attestation !== undefined
    const labels = isHere ? { nodeName: self.name, ...connection.labels } : connection.labels
    return next({ connection: { ...connection, labels } })
  }
}
