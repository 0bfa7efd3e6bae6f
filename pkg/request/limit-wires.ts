/**
 * A quota of wires for each of those who cannot make more of themselves: a pod or user of this machine, as the kernel
 * tells them apart; at the endpoint's node the client whose token is first on the path. Who is a client there is the word
 * of the client's node or domain, which could name ever more of them: it has a quota of its own, for all that it names.
 * Without it one client takes every address of a service.
 */
import type { Connection, Peer } from '../api/index.ts'
import { NsmError, type Step } from '../base/index.ts'
import type { ConnectionRecord, ConnectionTable } from '../connections/index.ts'
import { type CountedFor, countedFor } from '../steps/index.ts'
import type { Asking, Self } from './parts.ts'

/** A node of our domain, or another domain, may have as many as this many of its clients. */
export const CLIENTS_PER_NAMER = 10

export interface Counted {
  /** Whom the wire is counted for: the client, and who names it. */
  readonly accounts: readonly string[]
}

export interface LimitWiresParts {
  readonly self: Self
  readonly table: ConnectionTable
  readonly maxWires: number
}

export function limitWires({ self, table, maxWires }: LimitWiresParts): Step<Asking, Counted, Connection> {
  const usage = new Usage(table)
  return async function limitWires({ connection: { id }, call, identities, known }, next) {
    const { client, namer } = countedOf(self, call.peer, identities)
    const accounts = [...new Set([client, ...(namer === undefined ? [] : [namer])])]
    if (known !== undefined) return next({ accounts })
    usage.check(client, maxWires)
    if (namer !== undefined) usage.check(namer, maxWires * CLIENTS_PER_NAMER)
    usage.take(id, accounts)
    try {
      return await next({ accounts })
    } finally {
      if (table.get(id) === undefined) usage.release(id)
    }
  }
}

function countedOf(
  { domain: own }: Self,
  { attestation, spiffeId }: Peer,
  [first = spiffeId]: readonly string[],
): CountedFor {
  return attestation === undefined ? countedFor(spiffeId, first, own) : { client: attestation.account || first }
}

/** Wires that stand and requests under way, by account. It follows the table, so that no request looks through it. */
class Usage {
  readonly #byConnection = new Map<string, readonly string[]>()
  readonly #counts = new Map<string, number>()

  constructor(table: ConnectionTable) {
    for (const record of table.all()) this.take(record.id, accountsOf(record))
    table.subscribe(({ type, record }) => {
      if (type === 'DELETE') this.release(record.id)
      else this.take(record.id, accountsOf(record))
    })
  }

  /** @throws {NsmError} `resource_exhausted` */
  check(account: string, most: number): void {
    const wires = this.#counts.get(account) ?? 0
    if (wires < most) return
    throw new NsmError('resource_exhausted', 'Cannot open another wire: the client has as many as it may have', {
      fields: { account, wires, most },
      next: 'close wires that are not used, or set NSM_MAX_WIRES on the node to a larger number',
    })
  }

  take(id: string, accounts: readonly string[]): void {
    if (this.#byConnection.has(id)) return
    this.#byConnection.set(id, accounts)
    for (const account of accounts) this.#counts.set(account, (this.#counts.get(account) ?? 0) + 1)
  }

  release(id: string): void {
    for (const account of this.#byConnection.get(id) ?? []) {
      const left = (this.#counts.get(account) ?? 0) - 1
      if (left > 0) this.#counts.set(account, left)
      else this.#counts.delete(account)
    }
    this.#byConnection.delete(id)
  }
}

/** A record of 0.2 and earlier is its owner's. */
function accountsOf({ accounts, owner }: ConnectionRecord): readonly string[] {
  return accounts ?? [owner]
}
