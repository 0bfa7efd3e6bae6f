import type { Connection } from '../api/index.ts'
import type { Step } from '../base/index.ts'
import type { Arrived } from '../steps/index.ts'
import type { Self } from './parts.ts'

/** Tells services that choose endpoints by it on which node the client is; a label that the client has set stays. */
export function addClientInfo({ self }: { self: Self }): Step<Arrived, Pick<Arrived, 'connection'>, Connection> {
  return async function addClientInfo({ connection, call }, next) {
    const isHere = call.peer.attestation !== undefined
    const labels = isHere ? { nodeName: self.name, ...connection.labels } : connection.labels
    return next({ connection: { ...connection, labels } })
  }
}
